export { BudgetControls } from './controls'
