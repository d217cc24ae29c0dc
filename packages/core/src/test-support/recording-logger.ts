/** A Logger that keeps its lines, for tests of what an operator reads. */
import type { Logger } from '../logger.js';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export class RecordingLogger implements Logger {
  /** Of its children too. */
  readonly lines: LogLine[];

  constructor(
    private readonly bindings: object = {},
    parent?: RecordingLogger,
  ) {
    this.lines = parent?.lines ?? [];
  }

  readonly debug = this.at('debug');
  readonly info = this.at('info');
  readonly warn = this.at('warn');
  readonly error = this.at('error');

  child(bindings: object): Logger {
    return new RecordingLogger({ ...this.bindings, ...bindings }, this);
  }

  /** Messages of a level that contain `text`. */
  matching(level: LogLine['level'], text: string): readonly string[] {
    return this.lines
      .filter((line) => line.level === level && line.message.includes(text))
      .map(({ message }) => message);
  }

  private at(level: LogLine['level']) {
    return (fields: object, message: string) => {
      this.lines.push({ level, message, fields: { ...this.bindings, ...fields } });
    };
  }
}
