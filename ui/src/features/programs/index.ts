export { PlatformProgramsPage, ProgramsPage } from './list'
