export { BurnPicture } from './burn'
export { cumulative } from './cumulative'
export { burnSentence } from './sentence'
