export { Gallery } from './gallery'
export { ReachFacts } from './reach'
export { WhatGoes } from './what-goes'
