// SPDX-License-Identifier: Apache-2.0
import '@agenttier/elements/create-sandbox';
import '@agenttier/elements/provider';
import '@agenttier/elements/sandbox-list';
import '@agenttier/elements/terminal';
import '@agenttier/elements/react';
import type { AgentTierCreateSandbox } from '@agenttier/elements/create-sandbox';

import { useRef, useState } from 'react';
import { apiBase, getToken } from '../settings.ts';

export function Page() {
  const create = useRef<AgentTierCreateSandbox>(null);
  const [opened, setOpened] = useState({ sandboxId: '', namespace: '' });
  const [news, setNews] = useState('');
  return (
    <agenttier-provider api-base={apiBase} getToken={getToken}>
      <h1>Sandboxes</h1>
      <button onClick={() => create.current?.show()}>New sandbox</button>
      <p role="status">{news}</p>
      <agenttier-sandbox-list onagenttier-sandbox-open={(event) => setOpened(event.detail.sandbox)} />
      <agenttier-terminal
        sandbox-id={opened.sandboxId}
        namespace={opened.namespace}
        onagenttier-terminal-state={(event) => setNews(`The terminal is ${event.detail.state}.`)}
      />
      <agenttier-create-sandbox
        ref={create}
        onagenttier-sandbox-created={(event) => setNews(`${event.detail.sandbox.name} is being made.`)}
      />
    </agenttier-provider>
  );
}
