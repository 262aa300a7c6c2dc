// SPDX-License-Identifier: Apache-2.0

/** What the plugin takes from its environment. Flags win over it. */
export interface Environment {
  readonly apiUrl?: string;
  readonly apiKey?: string;
  readonly token?: string;
  /** The whole environment, which kubeconfig lookup and credential plugins need. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Reads AGENTTIER_API_URL, AGENTTIER_API_KEY and AGENTTIER_TOKEN; an empty value counts as not set. */
export function readEnvironment(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): Environment {
  const { AGENTTIER_API_URL: apiUrl, AGENTTIER_API_KEY: apiKey, AGENTTIER_TOKEN: token } = variables;
  return {
    variables,
    ...(apiUrl ? { apiUrl } : {}),
    ...(apiKey ? { apiKey } : {}),
    ...(token ? { token } : {}),
  };
}
