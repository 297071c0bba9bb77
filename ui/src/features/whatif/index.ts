export { WhatIfPanel } from './panel'
