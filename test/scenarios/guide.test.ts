import { testStory } from './support.ts';

testStory(
  'guide',
  'G01 G02 G03 G04 G05 G06 G07 G08 G09 G10 G11 G12 G13 G14 G15 G16 G17 G18 G19 G20 C01 C02 C03 C04 links are bought, locked, cut off and gone in time, and a professional is reported, suspended and heard',
);
