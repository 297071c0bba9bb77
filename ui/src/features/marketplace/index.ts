export { Gallery } from './gallery'
export { UninstallImpact } from './installed'
export { ReachFacts } from './lifecycle'
