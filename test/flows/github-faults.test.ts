import { AT_GITHUB, describeFaults } from './faults.ts';

describeFaults(AT_GITHUB);
