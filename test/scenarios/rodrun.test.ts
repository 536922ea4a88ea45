import { testStory } from './support.ts';

testStory(
  'rodrun',
  'R01 R02 R03 R04 R05 R06 R07 a specialist with a camera is asked for a consultation, accepts it, is lost and back, ends it early when both agree, and is rated once',
);
