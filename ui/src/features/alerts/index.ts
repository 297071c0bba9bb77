export { BudgetAlerts } from './panel'
