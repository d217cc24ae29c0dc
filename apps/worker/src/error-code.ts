/** `ENOENT`, `EPIPE`, ...: by the error's form, since an error may come from another realm, or another copy of a package. */
export function errorCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
