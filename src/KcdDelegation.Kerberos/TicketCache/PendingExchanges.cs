using System.Collections.Concurrent;
using System.Diagnostics;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Time;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The exchanges under way for a cache's entries: each has its own deadline and no caller's context, and its ticket is on the shelf,
/// or its failure forgotten, before anybody hears of it. Thread-safe.</summary>
internal sealed class PendingExchanges(TicketTable table, TimeSpan timeout, KdcClock clock, ILogger logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<PendingExchange, byte> _underWay = new();
    private volatile bool _disposed;

    /// <summary>Called under the entry's lock; the flight is flown by whoever began it.</summary>
    /// <exception cref="ObjectDisposedException">It is too late.</exception>
    public PendingExchange Begin(TicketKey key)
    {
        var pending = new PendingExchange();
        _underWay.TryAdd(pending, 0);
        // In this order: either DisposeAsync sees the flight and waits for it, or the flight sees that it is too late.
        if (_disposed)
        {
            _underWay.TryRemove(pending, out _);
            throw new ObjectDisposedException(TicketStore.OwnerName);
        }
        table.Metrics.Exchange(key.Kind);
        return pending;
    }

    /// <summary>The exchange serves many callers: none of them may lend it his principal, culture, span or other ambient state.</summary>
    public Task<ExchangeOutcome> RunDetachedAsync<T>(TicketEntry entry, PendingExchange pending, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        using var apart = ExecutionContext.SuppressFlow();
        return Task.Run(() => RunAsync(entry, pending, request), CancellationToken.None);
    }

    /// <summary>Flies where the caller is. Never throws, and always lands: whoever waits would wait for ever otherwise.</summary>
    public async Task<ExchangeOutcome> RunAsync<T>(TicketEntry entry, PendingExchange pending, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        ExchangeOutcome? outcome = null;
        try
        {
            using var activity = pending.StartActivity(entry.Key.Kind);
            outcome = Land(entry, pending, await RequestAsync(entry.Key.Kind, request).ConfigureAwait(false));
            table.EvictOverflow();
            if (outcome is ExchangeOutcome.Failed failed)
                activity?.SetStatus(ActivityStatusCode.Error, failed.Failure.Code is { } code ? KerberosErrorNames.Get(code) : failed.Failure.Reason.ToString());
        }
#pragma warning disable CA1031 // a listener or logger of the host's that throws must not leave the key without an answer
        catch (Exception error)
#pragma warning restore CA1031
        {
            outcome ??= new ExchangeOutcome.Faulted(error);
            Abandon(entry, pending);
        }
        _underWay.TryRemove(pending, out _);
        pending.Complete(outcome);
        return outcome;
    }

    /// <summary>Lets the exchanges under way end, so that no key is zeroed beneath one.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await Task.WhenAll(_underWay.Keys.Select(pending => pending.Outcome)).ConfigureAwait(false);
    }

    private async Task<ExchangeOutcome> RequestAsync<T>(TicketKind kind, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        var patience = Patience(kind);
        using var deadline = new CancellationTokenSource(patience, clock.TimeProvider);
        try
        {
            return new ExchangeOutcome.Completed(await request(deadline.Token).ConfigureAwait(false));
        }
        catch (KerberosException error)
        {
            return new ExchangeOutcome.Failed(error.Failure, error);
        }
        catch (OperationCanceledException error) when (deadline.IsCancellationRequested)
        {
            // What had been tried by then is said by the exception inside.
            var soFar = (error.InnerException as KerberosException)?.Failure ?? new KerberosFailure();
            var detail = $"no ticket within {patience.TotalSeconds:0.###} s{(soFar.Detail.Length > 0 ? ": " : "")}{soFar.Detail}";
            return new ExchangeOutcome.Failed(soFar with { Code = null, Reason = KerberosFailureReason.KdcUnreachable, IsTransient = true, Detail = detail }, error);
        }
        catch (ObjectDisposedException error) when (_disposed)
        {
            return new ExchangeOutcome.Faulted(error);
        }
#pragma warning disable CA1031 // whatever it was, the waiters must hear of it; nothing is swallowed
        catch (Exception error)
#pragma warning restore CA1031
        {
            TicketCacheLog.ExchangeFaulted(logger, error);
            return new ExchangeOutcome.Faulted(error);
        }
    }

    /// <summary>What an exchange needs first ends a little before it does: only the innermost knows which KDC did not answer, and it must be
    /// able to say so.</summary>
    private TimeSpan Patience(TicketKind kind) => timeout * (kind switch
    {
        TicketKind.Tgt => 0.8,
        TicketKind.Evidence => 0.9,
        _ => 1,
    });

    private static void Abandon(TicketEntry entry, PendingExchange pending)
    {
        lock (entry)
        {
            if (ReferenceEquals(entry.Pending, pending))
                entry.Pending = null;
        }
    }

    /// <summary>Stores what came, or forgets it, before any waiter hears of it.</summary>
    private ExchangeOutcome Land(TicketEntry entry, PendingExchange pending, ExchangeOutcome outcome)
    {
        lock (entry)
        {
            if (!ReferenceEquals(entry.Pending, pending) || entry.IsRemoved)
            {
                (outcome as ExchangeOutcome.Completed)?.Ticket.Retire();
                return outcome is ExchangeOutcome.Completed ? new ExchangeOutcome.Purged() : outcome;
            }
            entry.Pending = null;
            switch (outcome)
            {
                case ExchangeOutcome.Completed landed:
                    table.Hold(entry, landed.Ticket);
                    break;
                case ExchangeOutcome.Failed { Failure: { IsTransient: false, Code: not null } refusal } when IsAnswerTo(entry.Key.Kind, refusal):
                    table.Refuse(entry, refusal);
                    break;
                case ExchangeOutcome.Failed failed when entry.Ticket is { } held:
                    TicketCacheLog.RefreshFailed(logger, failed.Failure.Code is { } code ? KerberosErrorNames.Get(code) : failed.Failure.Reason.ToString());
                    table.PostponeRefresh(entry, held);
                    break;
                default:
                    if (entry.Ticket is null)
                        table.Remove(entry);
                    break;
            }
            return outcome;
        }
    }

    /// <summary>A user's entry must not remember that the account's own log-on was refused: that is the account's entry's to know, and
    /// to forget as soon as the account is mended.</summary>
    private static bool IsAnswerTo(TicketKind kind, KerberosFailure refusal) => kind switch
    {
        // Errors are not authenticated: one forged packet must not keep the account from its work. Only what a second try would make worse is kept.
        // A rejected key is remembered where the key is known (RejectedKeys), so that a corrected one is taken at once.
        TicketKind.Tgt => refusal is { Exchange: KerberosExchange.LogOn, Code: KerberosErrorCode.ClientRevoked or KerberosErrorCode.KeyExpired },
        TicketKind.Evidence => refusal.Exchange is KerberosExchange.RealmDiscovery or KerberosExchange.Referral or KerberosExchange.S4U2Self,
        _ => refusal.Exchange is KerberosExchange.Referral or KerberosExchange.S4U2Proxy,
    };
}
