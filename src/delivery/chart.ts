import type { Chart } from '../contracts/view.ts';
import { loadChartSvg } from './load-chart.ts';
import { usageChartSvg } from './usage-chart.ts';

/** Figures as SVG. Pure. */
export function chartSvg(chart: Chart): string {
  return 'of' in chart ? usageChartSvg(chart) : loadChartSvg(chart);
}
