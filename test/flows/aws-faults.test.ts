import { AT_AWS, describeFaults } from './faults.ts';

describeFaults(AT_AWS);
