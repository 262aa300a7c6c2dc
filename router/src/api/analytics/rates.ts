// SPDX-License-Identifier: Apache-2.0

/** What things cost, in one currency; of the chart's `costs`. */
export interface CostRates {
  readonly currency: string;
  readonly cpuHour: number;
  readonly memoryGiBHour: number;
  readonly storageGiBMonth: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the rates of the environment; every problem names its variable and the remedy. */
export function readRates(env: Environment, problems: string[]): CostRates {
  const rate = (name: string, fallback: number): number => {
    const text = env[name] || String(fallback);
    const value = Number(text);
    if (Number.isFinite(value) && value >= 0) return value;
    problems.push(`${name} "${text}" is not a price: write a number such as 0.04`);
    return fallback;
  };
  return {
    currency: readCurrency(env['AGENTTIER_COST_CURRENCY'] || 'USD', problems),
    cpuHour: rate('AGENTTIER_COST_CPU_HOUR', 0.04),
    memoryGiBHour: rate('AGENTTIER_COST_MEMORY_GIB_HOUR', 0.005),
    storageGiBMonth: rate('AGENTTIER_COST_STORAGE_GIB_MONTH', 0.1),
  };
}

function readCurrency(text: string, problems: string[]): string {
  if (/^[A-Z]{3}$/.test(text)) return text;
  problems.push(`AGENTTIER_COST_CURRENCY "${text}" is not a code of ISO 4217 such as USD`);
  return 'USD';
}
