using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Sends requests to the KDCs of a realm. Thread-safe.</summary>
/// <remarks>Disposing waits for the trial requests in the background, so that no key is used afterwards.</remarks>
internal sealed class KdcDispatcher : IAsyncDisposable
{
    private readonly IKdcLocator _locator;
    private readonly KdcTiming _timing;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KdcConnector _connector;
    private readonly KdcHealth _health;
    private readonly CancellationTokenSource _disposed = new();
    private readonly ConcurrentDictionary<Task, KdcEndpoint> _trials = [];

    public KdcDispatcher(IKdcLocator locator, TimeProvider time, ILogger logger, KdcTiming? timing = null, HostResolver? resolve = null)
    {
        (_locator, _time, _logger) = (locator, time, logger);
        _timing = timing ?? new KdcTiming();
        var hosts = new LastKnownAddresses(resolve ?? SystemHostResolver.ResolveAsync, _timing, time);
        _connector = new KdcConnector(hosts.ResolveAsync, _timing, time);
        _health = new KdcHealth(_timing.RetryFailedAfter, time);
    }

    /// <summary>Creates a dispatcher that finds KDCs in the options, then in krb5.conf, then in DNS.</summary>
    public static KdcDispatcher Create(IEnumerable<KeyValuePair<string, IReadOnlyList<KdcEndpoint>>> kdcs, TimeProvider time, ILogger logger)
    {
        var sources = new FirstKnownKdcs(
            new StaticKdcs(kdcs, logger),
            new Krb5ConfigurationKdcs(Krb5Configuration.SystemPaths(), time, logger),
            new DnsKdcs(new DnsClient(DnsClient.SystemServers, time), time, logger));
        return new KdcDispatcher(sources, time, logger);
    }

    /// <summary>Sends a request to the realm's KDCs and returns the first valid reply.</summary>
    /// <param name="realm">The realm whose KDCs are asked.</param>
    /// <param name="mode">How the request is distributed over the KDCs.</param>
    /// <param name="create">Creates the request of one attempt. Called for each attempt, on any thread, and concurrently.</param>
    /// <param name="cancellationToken">The caller's token or the deadline of the whole request. It also cancels socket operations.</param>
    /// <exception cref="KerberosException">With a code: the realm's answer. <see cref="KerberosFailureReason.KdcNotFound"/>: no KDC is
    /// known. <see cref="KerberosFailureReason.KdcUnreachable"/> or <see cref="KerberosFailureReason.ReplyRejected"/>: the detail
    /// describes the failure of each KDC.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled. The inner <see cref="KerberosException"/> describes the state of
    /// each KDC, for a caller whose deadline this was.</exception>
    public async Task<TReply> SendAsync<TReply>(
        string realm, KdcRequestMode mode, Func<KdcRequest<TReply>> create, CancellationToken cancellationToken)
    {
        var failures = new KdcFailures(realm);
        try
        {
            var known = await _locator.FindAsync(realm, cancellationToken).ConfigureAwait(false);
            if (known.Count == 0)
                throw NotFound(realm);
            if (mode == KdcRequestMode.Hedged)
                StartTrials(realm, known, create);

            var kdcs = _health.Order(known);
            var (reply, slower) = await StaggeredRace.RunAsync(
                kdcs,
                mode == KdcRequestMode.Hedged ? _timing.HedgeDelay : Timeout.InfiniteTimeSpan,
                _time,
                (kdc, token) => AskAsync(CreateAttempt(kdc, create), kdc == kdcs[^1] ? _timing.LastAttemptTimeout : _timing.AttemptTimeout, failures, token, cancellationToken),
                KdcFailure.IsSpecificToKdc,
                cancellationToken).ConfigureAwait(false);
            foreach (var slow in slower)
                RecordFailure(realm, slow, "answered more slowly than the next KDC");
            return reply;
        }
        catch (OperationCanceledException cancelled) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancelled.Message, failures.ToException(), cancellationToken);
        }
        catch (KerberosException last) when (KdcFailure.IsSpecificToKdc(last))
        {
            throw failures.ToException();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_trials.Keys).ConfigureAwait(false);
    }

    private KdcRoundTrip<TReply> CreateAttempt<TReply>(KdcEndpoint kdc, Func<KdcRequest<TReply>> create) =>
        new(kdc, create, _connector, _timing, _time, _logger);

    /// <summary>Runs one attempt and records the KDC's answer or failure.</summary>
    /// <remarks><c>token</c> is also canceled when another KDC has won. <c>caller</c> is only canceled by the caller.</remarks>
    private async Task<TReply> AskAsync<TReply>(
        KdcRoundTrip<TReply> attempt, TimeSpan timeout, KdcFailures failures, CancellationToken token, CancellationToken caller)
    {
        var (realm, kdc) = (failures.Realm, attempt.Kdc);
        var start = _time.GetTimestamp();
        try
        {
            var reply = await attempt.RunAsync(timeout, token).ConfigureAwait(false);
            RecordAnswer(realm, kdc, start);
            return reply;
        }
        catch (KerberosException error) when (KdcFailure.IsSpecificToKdc(error))
        {
            failures.Add(kdc, error);
            RecordFailure(realm, kdc, KdcFailure.DescribeForLog(error));
            throw;
        }
        catch (KerberosException error) when (error.Code is not null)
        {
            RecordAnswer(realm, kdc, start);
            throw;
        }
        catch (OperationCanceledException) when (caller.IsCancellationRequested)
        {
            failures.Add(kdc, KdcFailure.Unreachable($"{attempt.Progress} before the time-out"));
            throw;
        }
    }

    /// <summary>Starts a trial request in the background for each KDC that failed a while ago.</summary>
    /// <remarks>A connection attempt would not be enough, since the operating system of a hung KDC still accepts connections.</remarks>
    private void StartTrials<TReply>(string realm, IReadOnlyList<KdcEndpoint> known, Func<KdcRequest<TReply>> create)
    {
        foreach (var kdc in _health.TakeDue(known))
        {
            // The trial outlives the request, so it must not run in the caller's execution context.
            using var flow = ExecutionContext.SuppressFlow();
            var trial = Task.Run(() => RunTrialAsync(realm, kdc, create));
            _trials[trial] = kdc;
            _ = trial.ContinueWith(ended => _trials.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task RunTrialAsync<TReply>(string realm, KdcEndpoint kdc, Func<KdcRequest<TReply>> create)
    {
        // Only the recorded result matters.
        Task trial = AskAsync(CreateAttempt(kdc, create), _timing.AttemptTimeout, new KdcFailures(realm), _disposed.Token, _disposed.Token);
        await trial.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void RecordAnswer(string realm, KdcEndpoint kdc, long start)
    {
        TransportLog.KdcAnswered(_logger, kdc, realm, _time.GetElapsedTime(start).TotalMilliseconds);
        if (_health.RecordAnswer(kdc))
            TransportLog.KdcRecovered(_logger, kdc, realm);
    }

    private void RecordFailure(string realm, KdcEndpoint kdc, string reason)
    {
        if (_health.RecordFailure(kdc))
            TransportLog.KdcFailed(_logger, kdc, realm, reason);
        else
            TransportLog.KdcStillFails(_logger, kdc, realm, reason);
    }

    private static KerberosException NotFound(string realm) => new(new KerberosFailure
    {
        Exchange = KerberosExchange.KdcLookup,
        Reason = KerberosFailureReason.KdcNotFound,
        Realm = realm,
        Detail = $"no KDC of {realm} is known: none is configured, and neither krb5.conf nor DNS (SRV records _kerberos._tcp.{realm}) names one; " +
            "list the realm's KDCs in the options, or correct the realm's name or the DNS records",
    });
}
