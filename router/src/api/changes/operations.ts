// SPDX-License-Identifier: Apache-2.0
import { STREAMS_PER_PERSON } from '../../changes/feed.ts';
import type { ChangeFeed } from '../../changes/feed.ts';
import { eventStream } from '../../sse/eventStream.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';

/** The stream of changes that the caller may see. */
export function changeOperations(feed: ChangeFeed): Pick<Handlers, 'followChanges'> {
  return {
    followChanges: ({ principal, headers, query, signal }) => {
      if (feed.countOf(principal.sub) >= STREAMS_PER_PERSON)
        throw refusals.tooManyStreams(STREAMS_PER_PERSON);
      const lastId = query.get('lastEventId') ?? headers['last-event-id'];
      const namespace = query.get('namespace') ?? undefined;
      const id = typeof lastId === 'string' ? lastId : undefined;
      return eventStream(feed.follow({ principal, lastId: id, namespace, signal }));
    },
  };
}
