export { MyAgents } from './my-agents'
