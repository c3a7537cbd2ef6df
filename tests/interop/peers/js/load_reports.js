'use strict';
// ORCA's out-of-band service, and what it reports.

const SHORTEST_INTERVAL_MS = 10;

function toLoadReport(report) {
  return {
    cpu_utilization: report.cpu_utilization,
    mem_utilization: report.memory_utilization,
    request_cost: report.request_cost,
    utilization: report.utilization,
  };
}

class LoadReports {
  constructor() {
    this.current = {};
  }

  set(report) {
    this.current = toLoadReport(report);
  }

  // The handlers of the service: the current report at once, then one per interval until the call is cancelled.
  handlers() {
    return {
      StreamCoreMetrics: call => {
        const {seconds = 0, nanos = 0} = call.request.report_interval || {};
        const intervalMs = Math.max(SHORTEST_INTERVAL_MS, seconds * 1000 + nanos / 1e6);
        call.write(this.current);
        const timer = setInterval(() => call.write(this.current), intervalMs);
        call.on('cancelled', () => {
          clearInterval(timer);
          call.end();
        });
      },
    };
  }
}

module.exports = {LoadReports, toLoadReport};
