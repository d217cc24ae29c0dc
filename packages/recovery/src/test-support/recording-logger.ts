/** A logger that remembers, for tests of what an operator reads. */
import type { Logger } from '@tsq/core';

export class RecordingLogger implements Logger {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  readonly debug = this.at('debug');
  readonly info = this.at('info');
  readonly warn = this.at('warn');
  readonly error = this.at('error');

  child(): Logger {
    return this;
  }

  /** Messages of a level that contain `text`. */
  matching(level: string, text: string): readonly string[] {
    return this.lines
      .filter((line) => line.level === level && line.message.includes(text))
      .map(({ message }) => message);
  }

  private at(level: string) {
    return (fields: object, message: string) => {
      this.lines.push({ level, fields, message });
    };
  }
}
