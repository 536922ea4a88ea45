import { testStory } from './support.ts';

testStory('tvip', 'T01 T02 T03 T04 T05 T06 T07 T08 T09 T10 T11 T12 T13 T14 from the weekly hours to the dispute');
