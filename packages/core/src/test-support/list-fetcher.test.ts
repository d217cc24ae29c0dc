import { describe } from '@jest/globals';
import { itIsAComponent, itIsAFetcher, ListFetcher, useRedis } from './index.js';

describe('ListFetcher', () => {
  const redis = useRedis();
  const make = () => new ListFetcher({ url: redis.url });
  itIsAComponent(make);
  itIsAFetcher(redis, make);
});
