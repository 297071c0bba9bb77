export { CatalogPage } from './catalog'
export { CentralProvidersPage } from './providers'
export { accountIds, type Offered, OfferedTo } from './offered-to'
