export { topicNames, topics } from './topics'
