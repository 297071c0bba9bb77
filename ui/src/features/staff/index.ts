export { StaffPage } from './staff'
