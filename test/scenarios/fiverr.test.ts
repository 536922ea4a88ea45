import { testStory } from './support.ts';

testStory('fiverr', 'F01 F02 F03 F04 F05 F06 F07 F08 F09 F10 from who may call to the day on which the recording is gone');
