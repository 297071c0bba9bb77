export { WebhooksPage } from './list'
