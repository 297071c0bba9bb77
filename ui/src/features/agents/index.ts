export { MyAgents } from './my-agents'
export { AgentIcon } from './words'
