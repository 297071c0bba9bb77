export { topicNames, topics } from './topics'
export { useUnread } from './use-inbox'
