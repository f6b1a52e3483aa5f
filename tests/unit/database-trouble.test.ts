import pg from 'pg';
import { expect, test } from 'vitest';
import { Prisma } from '../../prisma/client/client.ts';
import { isDatabaseTrouble } from '../../src/store/database-trouble.ts';

const known = (code: string, cause?: Record<string, unknown>) =>
  new Prisma.PrismaClientKnownRequestError('for the test', {
    code,
    clientVersion: '7',
    ...(cause === undefined ? {} : { meta: { driverAdapterError: { name: 'DriverAdapterError', cause } } }),
  });

function ofServer(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError('for the test', 0, 'error');
  error.code = code;
  return error;
}

test.each([
  ['a server that is not there', known('P2010', { kind: 'DatabaseNotReachable', host: '127.0.0.1', port: 5432 })],
  ['a server that recovers', known('P2039', { kind: 'postgres', originalCode: '57P03' })],
  ['a full disk', known('P2010', { kind: 'postgres', originalCode: '53100' })],
  ['a transaction that could not begin in time', known('P2028')],
  ['a connection that the server ended', ofServer('57P01')],
])('%s is trouble of the database', (_, error) => expect(isDatabaseTrouble(error)).toBe(true));

test.each([
  ['a row that is there already', known('P2002', { kind: 'UniqueConstraintViolation', originalCode: '23505' })],
  ['a statement that is wrong', known('P2010', { kind: 'postgres', originalCode: '42601' })],
  ['a value that is too long', ofServer('22001')],
  ['a mistake of ours', new TypeError('for the test')],
])('%s is not', (_, error) => expect(isDatabaseTrouble(error)).toBe(false));
