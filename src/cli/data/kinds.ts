import { BiphaseError } from '../../node.ts';

/** A kind of file that people hand over by mistake: how it begins, what it is called, and what to do about it. */
interface Kind {
  readonly name: string;
  readonly advice: string;
  readonly is: (head: string, whole: Uint8Array) => boolean;
}

const begins =
  (...starts: string[]) =>
  (head: string) =>
    starts.some((s) => head.startsWith(s));
const ZIP = 'PK\x03\x04';
/** Names of a ZIP's members stand in it as they are. */
const zipWith = (name: string) => (head: string, whole: Uint8Array) =>
  head.startsWith(ZIP) && Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).includes(name);
const text = (pattern: RegExp) => (head: string) =>
  pattern.test(head.replace(/^\xef\xbb\xbf/, '').trimStart());

export const SAFETENSORS = 'a safetensors file';
const UNPACK = 'decompress it first (gzip is read as it is)';
const PIXELS = 'decode it first, and save the pixels of all images in one NPY or IDX file';
const AS_CSV = 'save it as CSV or NPY';
const TORCH = "save the weights with safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')";

/** The first that fits counts: safetensors, which may begin with any length; special kinds of ZIP before ZIP. */
const kinds: readonly Kind[] = [
  {
    name: SAFETENSORS,
    advice: 'give it as the model, not as data',
    is: (head) => head.slice(4, 8) === '\0\0\0\0' && head[8] === '{',
  },
  { name: 'a PyTorch file (.pt, .pth)', advice: TORCH, is: zipWith('/data.pkl') },
  { name: 'an Excel workbook', advice: 'save it as CSV (UTF-8)', is: zipWith('xl/workbook') },
  { name: 'an OpenDocument file', advice: 'save it as CSV', is: zipWith('mimetypeapplication/vnd.oasis') },
  { name: 'a Keras model', advice: 'save its weights as safetensors', is: zipWith('model.weights.h5') },
  {
    name: 'an NPZ archive of several arrays',
    advice: "take one array out of it: numpy.save('x.npy', numpy.load('x.npz')['x'])",
    is: zipWith('.npy'),
  },
  { name: 'a ZIP archive', advice: 'unpack it, and give one of its files', is: begins(ZIP, 'PK\x05\x06') },
  { name: 'compressed with bzip2', advice: UNPACK, is: (head) => /^BZh[1-9]1AY/.test(head) },
  { name: 'compressed with xz', advice: UNPACK, is: begins('\xfd7zXZ') },
  { name: 'compressed with Zstandard', advice: UNPACK, is: begins('\x28\xb5\x2f\xfd') },
  { name: 'a 7z archive', advice: 'unpack it', is: begins('7z\xbc\xaf') },
  { name: 'a tar archive', advice: 'unpack it', is: (head) => head.slice(257, 262) === 'ustar' },
  {
    name: 'a Parquet file',
    advice: `${AS_CSV}: pandas.read_parquet(path).to_csv('data.csv', index=False)`,
    is: begins('PAR1'),
  },
  { name: 'an Arrow or Feather file', advice: AS_CSV, is: begins('ARROW1', 'FEA1') },
  { name: 'an HDF5 file (.h5, .hdf5)', advice: 'save its arrays as NPY', is: begins('\x89HDF') },
  {
    name: 'a MATLAB file',
    advice: "save its arrays as NPY: numpy.save('x.npy', scipy.io.loadmat(path)['x'])",
    is: begins('MATLAB '),
  },
  { name: 'an SQLite database', advice: AS_CSV, is: begins('SQLite format 3') },
  { name: 'a PNG image', advice: PIXELS, is: begins('\x89PNG') },
  { name: 'a JPEG image', advice: PIXELS, is: begins('\xff\xd8\xff') },
  { name: 'a GIF image', advice: PIXELS, is: begins('GIF8') },
  { name: 'a TIFF image', advice: PIXELS, is: begins('II*\0', 'MM\0*') },
  {
    name: 'a WebP image',
    advice: PIXELS,
    is: (head) => begins('RIFF')(head) && head.slice(8, 12) === 'WEBP',
  },
  { name: 'a PDF document', advice: AS_CSV, is: begins('%PDF') },
  { name: 'a WebAssembly module', advice: 'give it as the model, not as data', is: begins('\0asm') },
  {
    name: 'a TensorFlow Lite model',
    advice: 'biphase reads safetensors',
    is: (head) => head.slice(4, 8) === 'TFL3',
  },
  {
    name: 'a Python pickle (or an old PyTorch file)',
    advice: `numpy.save() an array; of a model, ${TORCH}`,
    is: (head) => head[0] === '\x80' && head.charCodeAt(1) >= 2 && head.charCodeAt(1) <= 5,
  },
  {
    name: 'a Git LFS pointer, not the file itself',
    advice: 'fetch it with git lfs pull',
    is: begins('version https://git-lfs'),
  },
  {
    name: 'an HTML page',
    advice: 'a download gave a page instead of the file; fetch the raw file',
    is: text(/^(<!doctype html|<html|<head|<body|<!--)/i),
  },
  { name: 'XML', advice: AS_CSV, is: text(/^<\?xml|^<svg/i) },
  { name: 'JSON', advice: AS_CSV, is: text(/^(\{\s*("|\})|\[\s*([[{"\]\d-]|$))/) },
  { name: 'an ARFF file', advice: AS_CSV, is: text(/^(%[^\n]*\s+)*@relation/i) },
];

/** Bytes of a file's beginning that its kind shows in. */
const HEAD = 1024;

/** What a file is, where it is of a kind that is no data and no model of ours. */
export function kindOf(bytes: Uint8Array): Pick<Kind, 'name' | 'advice'> | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(HEAD, bytes.byteLength)).toString(
    'latin1',
  );
  return kinds.find((k) => k.is(head, bytes));
}

/** Throws 'invalid_data' for a file that is known to be something else than data, with what it is and what to do. */
export function refuseOtherKinds(path: string, bytes: Uint8Array): void {
  const kind = kindOf(bytes);
  if (kind)
    throw new BiphaseError(
      'invalid_data',
      `${path} is ${kind.name}; expected CSV, NPY or IDX. What to do: ${kind.advice}`,
    );
}
