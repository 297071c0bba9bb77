export { BudgetControls, FreezeBudget, ResumeBudget } from './controls'
