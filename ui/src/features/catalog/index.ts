export { CatalogPage } from './catalog'
export { CentralProvidersPage } from './providers'
