export { SupportInside } from './inside'
export { SupportList } from './list'
export { SupportPage } from './page'
export { EnterAccount } from './start'
