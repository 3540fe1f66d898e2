using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Sends requests to the KDCs of a realm, however few of them answer. Thread-safe. Disposing waits for the trials that run
/// beside requests, so that no key is used afterwards.</summary>
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

    /// <summary>For the realms of a client: their KDCs as the options list them, else as krb5.conf does, else as DNS names them.</summary>
    public static KdcDispatcher Create(IEnumerable<KeyValuePair<string, IReadOnlyList<KdcEndpoint>>> kdcs, TimeProvider time, ILogger logger)
    {
        var places = new FirstKnownKdcs(
            new StaticKdcs(kdcs),
            new Krb5ConfigurationKdcs(Krb5Configuration.SystemPaths(), time, logger),
            new DnsKdcs(new DnsClient(DnsClient.SystemServers, time), time, logger));
        return new KdcDispatcher(places, time, logger);
    }

    /// <summary>The first checked reply.</summary>
    /// <param name="realm">Whose KDCs are asked.</param>
    /// <param name="attempts">Whether several may see the request.</param>
    /// <param name="create">Makes the request for one attempt; called for each, on any thread, several at once where attempts are hedged.</param>
    /// <param name="cancellationToken">The caller's, or the deadline of the whole request; reaches the sockets.</param>
    /// <exception cref="KerberosException">With a code: the realm's answer. <see cref="KerberosFailureReason.KdcNotFound"/>: no KDC is
    /// known. <see cref="KerberosFailureReason.KdcUnreachable"/> or <see cref="KerberosFailureReason.ReplyRejected"/>: each KDC failed
    /// in the way that the detail says.</exception>
    /// <exception cref="OperationCanceledException">The token; its inner exception is the <see cref="KerberosException"/> that says how
    /// far each KDC had come, for a caller whose deadline this was.</exception>
    public async Task<TReply> SendAsync<TReply>(
        string realm, KdcRequestMode attempts, Func<KdcRequest<TReply>> create, CancellationToken cancellationToken)
    {
        var failures = new KdcFailures(realm);
        try
        {
            var known = await _locator.FindAsync(realm, cancellationToken).ConfigureAwait(false);
            if (known.Count == 0)
                throw NotFound(realm);
            if (attempts == KdcRequestMode.Hedged)
                TryFailedOnesAgain(realm, known, create);

            var kdcs = _health.Order(known);
            var (reply, overtaken) = await StaggeredRace.RunAsync(
                kdcs,
                attempts == KdcRequestMode.Hedged ? _timing.HedgeDelay : Timeout.InfiniteTimeSpan,
                _time,
                (kdc, token) => AskAsync(Attempt(kdc, create), kdc == kdcs[^1] ? _timing.LastAttemptTimeout : _timing.AttemptTimeout, failures, token, cancellationToken),
                KdcFailure.IsOfThisKdcOnly,
                cancellationToken).ConfigureAwait(false);
            foreach (var slow in overtaken)
                NoteFailure(realm, slow, "was overtaken by the next KDC");
            return reply;
        }
        catch (OperationCanceledException cancelled) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancelled.Message, failures.ToException(), cancellationToken);
        }
        catch (KerberosException last) when (KdcFailure.IsOfThisKdcOnly(last))
        {
            throw failures.ToException();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_trials.Keys).ConfigureAwait(false);
    }

    private KdcRoundTrip<TReply> Attempt<TReply>(KdcEndpoint kdc, Func<KdcRequest<TReply>> create) =>
        new(kdc, create, _connector, _timing, _time, _logger);

    /// <summary>One attempt, and what is learnt about its KDC. One token ends when another KDC has won, too; the other is the caller's alone.</summary>
    private async Task<TReply> AskAsync<TReply>(
        KdcRoundTrip<TReply> attempt, TimeSpan timeout, KdcFailures failures, CancellationToken token, CancellationToken caller)
    {
        var (realm, kdc) = (failures.Realm, attempt.Kdc);
        var start = _time.GetTimestamp();
        try
        {
            var reply = await attempt.RunAsync(timeout, token).ConfigureAwait(false);
            NoteAnswer(realm, kdc, start);
            return reply;
        }
        catch (KerberosException error) when (KdcFailure.IsOfThisKdcOnly(error))
        {
            failures.Add(kdc, error);
            NoteFailure(realm, kdc, KdcFailure.WordsForLog(error));
            throw;
        }
        catch (KerberosException error) when (error.Code is not null)
        {
            NoteAnswer(realm, kdc, start);
            throw;
        }
        catch (OperationCanceledException) when (caller.IsCancellationRequested)
        {
            failures.Add(kdc, KdcFailure.Unreachable($"{attempt.Missing} before the time was up"));
            throw;
        }
    }

    /// <summary>A KDC that failed a while ago gets a request of its own, which nobody waits for: the only honest trial is one that ends
    /// in a checked reply, since a frozen KDC's system still accepts connections.</summary>
    private void TryFailedOnesAgain<TReply>(string realm, IReadOnlyList<KdcEndpoint> known, Func<KdcRequest<TReply>> create)
    {
        foreach (var kdc in _health.TakeDue(known))
        {
            // The trial outlives its request and must not run in the caller's context.
            using var flow = ExecutionContext.SuppressFlow();
            var trial = Task.Run(() => TryAgainAsync(realm, kdc, create));
            _trials[trial] = kdc;
            _ = trial.ContinueWith(ended => _trials.TryRemove(ended, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task TryAgainAsync<TReply>(string realm, KdcEndpoint kdc, Func<KdcRequest<TReply>> create)
    {
        // What comes of it is noted; nobody else wants to know.
        Task trial = AskAsync(Attempt(kdc, create), _timing.AttemptTimeout, new KdcFailures(realm), _disposed.Token, _disposed.Token);
        await trial.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void NoteAnswer(string realm, KdcEndpoint kdc, long start)
    {
        TransportLog.KdcAnswered(_logger, kdc, realm, _time.GetElapsedTime(start).TotalMilliseconds);
        if (_health.Answered(kdc))
            TransportLog.KdcIsBack(_logger, kdc, realm);
    }

    private void NoteFailure(string realm, KdcEndpoint kdc, string reason)
    {
        if (_health.Failed(kdc))
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
            "list the realm's KDCs in the options, or correct the realm's name or DNS",
    });
}
