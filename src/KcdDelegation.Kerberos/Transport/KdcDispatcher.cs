using System.Collections.Concurrent;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Kerberos.Recording;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Sends requests to the KDCs of a realm. Thread-safe.</summary>
/// <remarks>Disposing waits for the trial requests in the background, so that no key is used afterwards.</remarks>
internal sealed class KdcDispatcher : IAsyncDisposable
{
    private static readonly TimeSpan s_firstRetryDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_maxRetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly IKdcLocator _locator;
    private readonly KdcTiming _timing;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KdcConnector _connector;
    private readonly KdcConnectionLimits _limits;
    private readonly KdcHealth _health;
    private readonly CancellationTokenSource _disposed = new();
    private readonly ConcurrentDictionary<Task, KdcEndpoint> _trials = [];

    public KdcDispatcher(IKdcLocator locator, TimeProvider time, ILogger logger, KdcTiming? timing = null, HostResolver? resolve = null)
    {
        (_locator, _time, _logger) = (locator, time, logger);
        _timing = timing ?? new KdcTiming();
        var hosts = new LastKnownAddresses(resolve ?? SystemHostResolver.ResolveAsync, _timing, time);
        _connector = new KdcConnector(hosts.ResolveAsync, _timing, time);
        _limits = new KdcConnectionLimits(_timing, time);
        _health = new KdcHealth(_timing.RetryFailedAfter, time);
    }

    /// <summary>Creates a dispatcher that finds KDCs in the options, then in krb5.conf, then in DNS.</summary>
    public static KdcDispatcher Create(IEnumerable<KeyValuePair<string, IReadOnlyList<KdcEndpoint>>> kdcs, TimeProvider time,
        ILogger logger)
    {
        var sources = new FirstKnownKdcs(
            new StaticKdcs(kdcs, logger),
            new Krb5ConfigurationKdcs(Krb5Configuration.SystemPaths(), time, logger),
            new DnsKdcs(new DnsClient(DnsClient.SystemServers, time), time, logger));
        return new KdcDispatcher(sources, time, logger);
    }

    /// <summary>Finds the KDCs of a realm, without asking one.</summary>
    public ValueTask<IReadOnlyList<KdcEndpoint>> FindKdcsAsync(string realm, CancellationToken cancellationToken) =>
        _locator.FindAsync(realm, cancellationToken);

    /// <inheritdoc cref="SendAsync{TReply}(string, KdcRequestMode, Func{KdcRequest{TReply}}, RecordedDispatch, CancellationToken)"/>
    public Task<TReply> SendAsync<TReply>(
        string realm, KdcRequestMode mode, Func<KdcRequest<TReply>> create, CancellationToken cancellationToken) =>
        SendAsync(realm, mode, create, recording: null, cancellationToken);

    /// <summary>Sends a request to the realm's KDCs and returns the first valid reply.</summary>
    /// <param name="realm">The realm whose KDCs are asked.</param>
    /// <param name="mode">How the request is distributed over the KDCs.</param>
    /// <param name="create">Creates the request of one attempt. Called for each attempt, on any thread, and concurrently.</param>
    /// <param name="recording">The record of the request, or null if it is not recorded.</param>
    /// <param name="cancellationToken">The caller's token or the deadline of the whole request. It also cancels socket operations.</param>
    /// <remarks>Realm names from the wire are checked here, before any look-up.</remarks>
    /// <exception cref="KerberosException">With a code: the realm's answer. <see cref="KerberosFailureReason.KdcNotFound"/>: no KDC is
    /// known. <see cref="KerberosFailureReason.KdcUnreachable"/> or <see cref="KerberosFailureReason.ReplyRejected"/>: the detail
    /// describes the failure of each KDC.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled. The inner <see cref="KerberosException"/> describes the
    /// state of each KDC, for a caller whose deadline this was.</exception>
    public async Task<TReply> SendAsync<TReply>(
        string realm, KdcRequestMode mode, Func<KdcRequest<TReply>> create, RecordedDispatch? recording,
        CancellationToken cancellationToken)
    {
        if (!RealmName.IsValid(realm))
            throw KerberosException.Rejected($"'{PrintableText.From(realm)}' is not a realm name");
        var start = _time.GetTimestamp();
        var delay = s_firstRetryDelay;
        while (true)
        {
            var failures = new KdcFailures(realm);
            try
            {
                var known = await _locator.FindAsync(realm, cancellationToken).ConfigureAwait(false);
                if (known.Count == 0)
                    throw NotFound(realm);
                return await SendAsync(known, mode, create, recording, failures, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException canceled) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(canceled.Message, failures.ToException(), cancellationToken);
            }
            catch (KerberosException last) when (KdcFailure.IsSpecificToKdc(last))
            {
                // A KDC that restarts refuses connections for a moment.
                if (!failures.AreRestarts(mode) || _time.GetElapsedTime(start) + delay >= _timing.RestartTimeout
                    || !_health.IsRecent(failures.Kdcs))
                    throw failures.ToException();
            }
            await DelayAsync(delay, failures, cancellationToken).ConfigureAwait(false);
            delay = delay * 2 < s_maxRetryDelay ? delay * 2 : s_maxRetryDelay;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_trials.Keys).ConfigureAwait(false);
    }

    private async Task DelayAsync(TimeSpan delay, KdcFailures failures, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(delay, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException canceled)
        {
            throw new OperationCanceledException(canceled.Message, failures.ToException(), cancellationToken);
        }
    }

    /// <summary>Asks each KDC once, in order of health.</summary>
    private async Task<TReply> SendAsync<TReply>(
        IReadOnlyList<KdcEndpoint> known, KdcRequestMode mode, Func<KdcRequest<TReply>> create, RecordedDispatch? recording,
        KdcFailures failures, CancellationToken cancellationToken)
    {
        var isHedged = mode == KdcRequestMode.Hedged;
        if (isHedged)
            StartTrials(failures.Realm, known, create, recording);
        var attempts = _health.Order(known).Select(kdc => CreateAttempt(kdc, mode, create, recording)).ToList();
        var (reply, slower) = await StaggeredRace.RunAsync(
            attempts,
            isHedged ? _timing.HedgeDelay : Timeout.InfiniteTimeSpan,
            _time,
            (attempt, token) => AskAsync(
                attempt, isHedged || attempt == attempts[^1] ? _timing.LastAttemptTimeout : _timing.AttemptTimeout, failures, token,
                    cancellationToken),
            KdcFailure.IsSpecificToKdc,
            startsNextOnFailure: true, cancellationToken).ConfigureAwait(false);
        foreach (var attempt in slower.Where(static attempt => attempt.HasContactedKdc))
            RecordFailure(failures.Realm, attempt.Kdc, "answered more slowly than the next KDC");
        // Another KDC accepts the same request, so the invalid reply was not due to the request.
        foreach (var kdc in failures.KdcsWithRejectedReply)
            RecordFailure(failures.Realm, kdc, KdcFailure.RejectedReply);
        return reply;
    }

    private KdcRoundTrip<TReply> CreateAttempt<TReply>(
        KdcEndpoint kdc, KdcRequestMode mode, Func<KdcRequest<TReply>> create, RecordedDispatch? recording) =>
        new(kdc, mode, create, _connector, _limits, _timing, _time, _logger,
            recording?.StartAttempt(kdc.Host, kdc.Port, kdc.Transport == KdcTransport.Udp));

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
            attempt.Recording?.End(failure: null);
            return reply;
        }
        catch (KerberosException error) when (KdcFailure.IsSpecificToKdc(error))
        {
            failures.Add(kdc, error);
            attempt.Recording?.End(error.Reason == KerberosFailureReason.KdcUnreachable ? error.Detail : null);
            // The request may be the cause of an invalid reply.
            if (KdcFailure.IsRejectedReply(error))
                TransportLog.KdcReplyRejected(_logger, kdc, realm);
            else
                RecordFailure(realm, kdc, KdcFailure.DescribeForLog(error));
            throw;
        }
        catch (KerberosException)
        {
            // The realm's answer: a refusal, or a valid reply that shows a wrong setting.
            RecordAnswer(realm, kdc, start);
            attempt.Recording?.End(failure: null);
            throw;
        }
        catch (OperationCanceledException) when (caller.IsCancellationRequested)
        {
            var failure = KdcFailure.Unreachable($"{attempt.Progress} before the time-out");
            failures.Add(kdc, failure);
            attempt.Recording?.End(failure.Detail);
            throw;
        }
        catch (OperationCanceledException) when (attempt.Recording is { } unanswered)
        {
            unanswered.End(attempt.HasContactedKdc ? $"{attempt.Progress} before another KDC answered" : null);
            throw;
        }
    }

    /// <summary>Starts a trial request in the background for KDCs that failed a while ago.</summary>
    /// <remarks>A connection attempt would not be enough, since the operating system of a hung KDC still accepts connections.</remarks>
    private void StartTrials<TReply>(
        string realm, IReadOnlyList<KdcEndpoint> known, Func<KdcRequest<TReply>> create, RecordedDispatch? recording)
    {
        foreach (var kdc in _health.TakeDue(known))
        {
            // The trial outlives the request, so it must not run in the caller's execution context.
            using var flow = ExecutionContext.SuppressFlow();
            var trial = Task.Run(() => RunTrialAsync(realm, kdc, create, recording));
            _trials[trial] = kdc;
            _ = trial.ContinueWith(
                ended => _trials.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
        }
    }

    private async Task RunTrialAsync<TReply>(
        string realm, KdcEndpoint kdc, Func<KdcRequest<TReply>> create, RecordedDispatch? recording)
    {
        var failures = new KdcFailures(realm);
        // Only the recorded result matters.
        var attempt = CreateAttempt(kdc, KdcRequestMode.Hedged, create, recording);
        Task trial = AskAsync(attempt, _timing.AttemptTimeout, failures, _disposed.Token, _disposed.Token);
        await trial.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var rejected in failures.KdcsWithRejectedReply)
            RecordFailure(realm, rejected, KdcFailure.RejectedReply);
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
        Detail = $"no KDC of {realm} is known: none is configured, " +
            $"and neither krb5.conf nor DNS (SRV records _kerberos._tcp.{realm}) names one; " +
            "list the realm's KDCs in the options, or correct the realm's name or the DNS records",
    });
}
