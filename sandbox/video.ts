/**
 * A small playable MP4 made here: H.264 baseline (ITU-T H.264) with uncompressed macroblocks, so that no encoder is needed,
 * in the boxes of ISO/IEC 14496-12. 160 × 96, one picture a second for 12 seconds, about 280 kB.
 */
const MACROBLOCKS_WIDE = 10;
const MACROBLOCKS_HIGH = 6;
const PICTURES = 12;

let made: Uint8Array<ArrayBuffer> | undefined;

export function sampleVideo(): Uint8Array<ArrayBuffer> {
  made ??= Uint8Array.from(mp4(Array.from({ length: PICTURES }, (_, index) => picture(index))));
  return made;
}

/** Bits of one NAL unit, most significant first. */
function bitWriter() {
  const bytes: number[] = [];
  let bits = 0;
  let filled = 0;
  const bit = (value: number): void => {
    bits = (bits << 1) | value;
    filled += 1;
    if (filled < 8) return;
    bytes.push(bits);
    bits = 0;
    filled = 0;
  };
  const fixed = (value: number, size: number): void => {
    for (let place = size - 1; place >= 0; place -= 1) bit((value >> place) & 1);
  };
  const align = (): void => {
    if (filled > 0) fixed(0, 8 - filled);
  };
  return {
    fixed,
    /** Exponential-Golomb code of 9.1. */
    golomb(value: number): void {
      const size = 32 - Math.clz32(value + 1);
      fixed(0, size - 1);
      fixed(value + 1, size);
    },
    align,
    raw: (samples: readonly number[]): number => bytes.push(...samples),
    /** Closes the unit and inserts the emulation prevention bytes of 7.4.1. */
    unit(header: number): Buffer {
      bit(1);
      align();
      const escaped: number[] = [];
      let zeros = 0;
      for (const byte of bytes) {
        if (zeros >= 2 && byte <= 3) {
          escaped.push(3);
          zeros = 0;
        }
        escaped.push(byte);
        zeros = byte === 0 ? zeros + 1 : 0;
      }
      return Buffer.from([header, ...escaped]);
    },
  };
}

function sequenceParameters(): Buffer {
  const bits = bitWriter();
  bits.raw([66, 0xc0, 30]); // baseline profile, constrained, level 3.0
  for (const value of [0, 0, 2, 1]) bits.golomb(value); // id, frame number size, picture order type, reference frames
  bits.fixed(0, 1);
  bits.golomb(MACROBLOCKS_WIDE - 1);
  bits.golomb(MACROBLOCKS_HIGH - 1);
  bits.fixed(0b1100, 4); // frames only, 8x8 inference, no cropping, no usability information
  return bits.unit(0x67);
}

function pictureParameters(): Buffer {
  const bits = bitWriter();
  for (const value of [0, 0]) bits.golomb(value);
  bits.fixed(0, 2);
  for (const value of [0, 0, 0]) bits.golomb(value);
  bits.fixed(0, 3);
  for (const value of [0, 0, 0]) bits.golomb(value);
  bits.fixed(0, 3);
  return bits.unit(0x68);
}

/** A complete picture: a band that walks over a plain background. */
function picture(index: number): Buffer {
  const bits = bitWriter();
  for (const value of [0, 7, 0]) bits.golomb(value); // first macroblock, I slice, parameter set
  bits.fixed(0, 4); // frame number
  bits.golomb(index % 2); // two pictures in a row must differ in this id
  bits.fixed(0, 2);
  bits.golomb(0);
  for (let block = 0; block < MACROBLOCKS_WIDE * MACROBLOCKS_HIGH; block += 1) {
    const inBand = block % MACROBLOCKS_WIDE === index % MACROBLOCKS_WIDE;
    bits.golomb(25); // I_PCM
    bits.align();
    bits.raw(Array.from({ length: 256 }, (_, sample) => (inBand ? 200 : 60) + (sample % 16)));
    bits.raw(Array.from({ length: 128 }, (_, sample) => (sample < 64 ? 150 : 100 + index)));
  }
  return bits.unit(0x65);
}

const uint16 = (...values: number[]): Buffer => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]));
const uint32 = (...values: number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeUInt32BE(value, index * 4);
  return buffer;
};
const box = (type: string, ...content: Buffer[]): Buffer => {
  const body = Buffer.concat(content);
  return Buffer.concat([uint32(body.length + 8), Buffer.from(type, 'latin1'), body]);
};
const UNITY_MATRIX = uint32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

function mp4(pictures: readonly Buffer[]): Buffer {
  const samples = pictures.map((unit) => Buffer.concat([uint32(unit.length), unit]));
  const start = box('ftyp', Buffer.from('isom\0\0\0\x01isomavc1', 'latin1'));
  // The size of `moov` does not depend on the offset that it carries.
  const offset = start.length + movie(samples, 0).length + 8;
  return Buffer.concat([start, movie(samples, offset), box('mdat', ...samples)]);
}

function movie(samples: readonly Buffer[], offset: number): Buffer {
  const duration = samples.length * 1_000; // in the time scale of milliseconds
  const [width, height] = [MACROBLOCKS_WIDE * 16, MACROBLOCKS_HIGH * 16];
  const sampleTable = box(
    'stbl',
    box('stsd', uint32(0, 1), sampleEntry(width, height)),
    box('stts', uint32(0, 1, samples.length, 1_000)),
    box('stsc', uint32(0, 1, 1, samples.length, 1)),
    box('stsz', uint32(0, 0, samples.length, ...samples.map(({ length }) => length))),
    box('stco', uint32(0, 1, offset)),
  );
  const information = box(
    'minf',
    box('vmhd', uint32(1, 0, 0)),
    box('dinf', box('dref', uint32(0, 1), box('url ', uint32(1)))),
    sampleTable,
  );
  const media = box(
    'mdia',
    box('mdhd', uint32(0, 0, 0, 1_000, duration), uint16(0x55c4, 0)),
    box('hdlr', uint32(0, 0), Buffer.from('vide'), uint32(0, 0, 0), Buffer.from('video\0')),
    information,
  );
  const trackHeader = box('tkhd', uint32(3, 0, 0, 1, 0, duration, 0, 0, 0, 0), UNITY_MATRIX, uint32(width << 16, height << 16));
  const movieHeader = box('mvhd', uint32(0, 0, 0, 1_000, duration, 0x10000, 0x01000000, 0, 0), UNITY_MATRIX, uint32(0, 0, 0, 0, 0, 0, 2));
  return box('moov', movieHeader, box('trak', trackHeader, media));
}

function sampleEntry(width: number, height: number): Buffer {
  const [sequence, parameters] = [sequenceParameters(), pictureParameters()];
  const configuration = box(
    'avcC',
    Buffer.from([1, 66, 0xc0, 30, 0xff, 0xe1]),
    uint16(sequence.length),
    sequence,
    Buffer.from([1]),
    uint16(parameters.length),
    parameters,
  );
  return box(
    'avc1',
    uint16(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, width, height),
    uint32(0x480000, 0x480000, 0),
    uint16(1),
    Buffer.alloc(32),
    uint16(24, 0xffff),
    configuration,
  );
}
