/** What a system's error code means, in the words of who reads the message, and what to do where that is not plain. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'its file system can only be read',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is a file, not a folder',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EEXIST: 'it is there already',
  ENOTEMPTY: 'the folder is not empty',
  EBUSY: 'something else is using it',
  ETXTBSY: 'it is a program that is running',
  ENXIO: 'nobody reads at its other end',
  EPIPE: 'whoever read it has stopped',
  ENOSPC: 'no space is left on the device',
  EDQUOT: "this user's quota is used up",
  EFBIG: 'it is larger than files may be here',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
  EIO: 'the device failed',
  ENOMEM: 'the system has no memory left',
  ESTALE: 'the network file system has lost it',
  ETIMEDOUT: 'no answer came in time',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB',
};

/** The code of the system's error that is behind this one; undefined where there is none. */
export function systemCode(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code } = e as { code?: unknown };
    if (typeof code === 'string' && /^(E[A-Z0-9]+|ERR_FS_\w+)$/.test(code)) return code;
  }
  return undefined;
}

/** Why a file could not be read or written: "no space is left on the device (ENOSPC)". */
export function reasonOf(error: unknown): string {
  const code = systemCode(error);
  if (code && Object.hasOwn(reasons, code)) return `${reasons[code]} (${code})`;
  return error instanceof Error ? error.message : String(error);
}
