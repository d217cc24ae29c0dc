/**
 * Writes a double as Ruby's Float#to_s, and so Ruby's JSON, does: always with a fraction, so a reader can tell it from an
 * integer; fixed notation from 1e-4 up to 16 digits before the point, else `d.de+XX`. Ruby's Web UI finds a job to reschedule by
 * the bytes that it would write itself, so `1e+21` instead of `1.0e+21` would double the job.
 */
import { TsqError } from './errors.js';

/** @throws TSQ_ARGS_INVALID for NaN and ±Infinity, which JSON has no text for */
export function rubyFloat(value: number): string {
  if (!Number.isFinite(value)) {
    throw new TsqError('TSQ_ARGS_INVALID', `expected a finite number, got ${value}; JSON can not carry it`);
  }
  if (Object.is(value, -0)) return '-0.0';
  if (isFixed(Math.abs(value))) return Number.isInteger(value) ? `${value}.0` : String(value);
  // Both languages print the shortest digits that read back as the same double: only their arrangement differs.
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const sign = exponent.startsWith('-') ? '-' : '+';
  return `${digits.includes('.') ? digits : `${digits}.0`}e${sign}${exponent.slice(1).padStart(2, '0')}`;
}

function isFixed(magnitude: number): boolean {
  if (magnitude === 0) return true;
  // From 1e15 on Ruby stays fixed only while digits are left for behind the point.
  return magnitude >= 1e-4 && (magnitude < 1e15 || (magnitude < 1e16 && !Number.isInteger(magnitude)));
}
