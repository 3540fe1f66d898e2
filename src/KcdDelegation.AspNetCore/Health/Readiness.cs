using KcdDelegation.AspNetCore.Diagnosis;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KcdDelegation.AspNetCore.Health;

/// <summary>The readiness of this host. Any number of polls cause one check per interval, and a change of state is logged once.
/// Thread-safe.</summary>
internal sealed class Readiness
{
    /// <summary>The time for which a good result is used again.</summary>
    public static readonly TimeSpan HealthyInterval = TimeSpan.FromMinutes(1);

    /// <summary>The time for which a bad result is used again. A failed log-on is repeated less often.</summary>
    public static readonly TimeSpan UnhealthyInterval = TimeSpan.FromSeconds(10);

    /// <summary>The time after which a poll returns the last result while KDCs do not answer. Probers do not wait longer.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly ReadinessProbe _probe;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly Dictionary<string, Severity> _known = new(StringComparer.Ordinal);
    private Result? _last;
    private Task<Result>? _pending;

    public Readiness(
        DelegationClient client, IOptions<KcdHealthOptions> options, ILoggerFactory loggerFactory, TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        _probe = new ReadinessProbe(client, options.Value, new AccountLogOns(client, timeProvider));
        _logger = loggerFactory.CreateLogger(WebLog.Category);
    }

    /// <summary>Returns the worst finding, of the last check or of a new one.</summary>
    public async Task<Severity> GetAsync(CancellationToken cancellationToken)
    {
        Task<Result> pending;
        Result? last;
        lock (_lock)
        {
            last = _last;
            if (last is not null && _timeProvider.GetElapsedTime(last.Timestamp) < last.Interval)
                return last.Severity;
            pending = _pending ??= Start();
        }
        try
        {
            var wait = last is null ? Timeout.InfiniteTimeSpan : LongestWait;
            return (await pending.WaitAsync(wait, _timeProvider, cancellationToken).ConfigureAwait(false)).Severity;
        }
        catch (TimeoutException)
        {
            return last!.Severity;
        }
    }

    /// <summary>Starts a check that is detached from the poll: a prober that leaves must not cancel it for others, and its request is not
    /// that of the exchanges.</summary>
    private Task<Result> Start()
    {
        using (ExecutionContext.SuppressFlow())
            return Task.Run(RunAsync, CancellationToken.None);
    }

    private async Task<Result> RunAsync()
    {
        try
        {
            var findings = await _probe.RunAsync(CancellationToken.None).ConfigureAwait(false);
            LogChanges(findings);
            var worst = findings.Select(finding => finding.Severity).DefaultIfEmpty(Severity.Passed).Max();
            var result = new Result(worst, _timeProvider.GetTimestamp());
            lock (_lock)
                _last = result;
            return result;
        }
        finally
        {
            lock (_lock)
                _pending = null;
        }
    }

    /// <summary>Logs what has changed since the last check. Only one check runs at a time.</summary>
    private void LogChanges(IReadOnlyList<Finding> findings)
    {
        // Two accounts of a realm share a subject. The worst result counts.
        foreach (var finding in findings.GroupBy(finding => finding.Subject, StringComparer.Ordinal)
            .Select(group => group.MaxBy(finding => finding.Severity)!))
        {
            var before = _known.GetValueOrDefault(finding.Subject);
            _known[finding.Subject] = finding.Severity;
            if (finding.Severity == Severity.Passed && before != Severity.Passed)
                WebLog.HealthCheckRecovered(_logger, finding.Subject);
            else if (finding.Severity != before)
                WebLog.HealthCheckFailed(_logger, finding.Subject, finding.Cause, finding.Remedy);
        }
    }

    private sealed record Result(Severity Severity, long Timestamp)
    {
        public TimeSpan Interval => Severity == Severity.Passed ? HealthyInterval : UnhealthyInterval;
    }
}
