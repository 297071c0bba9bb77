export { Bell } from './bell'
export { topicNames, topics } from './topics'
