using System.Collections.Concurrent;
using System.Diagnostics;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Time;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The pending exchanges of a cache. Each has its own deadline and no caller's context. Its ticket is stored, or its failure
/// recorded, before a waiter receives the outcome. Thread-safe.</summary>
internal sealed class PendingExchanges(TicketTable table, TimeSpan timeout, KdcClock clock, ILogger logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<PendingExchange, byte> _running = new();
    private volatile bool _disposed;

    /// <summary>Registers an exchange, which the caller then runs. Called under the entry's lock.</summary>
    /// <param name="key">The key of the ticket.</param>
    /// <param name="isAwaited">Whether the caller waits for the exchange.</param>
    /// <exception cref="ObjectDisposedException">The cache is disposed.</exception>
    public PendingExchange Start(TicketKey key, bool isAwaited)
    {
        var pending = new PendingExchange(isAwaited);
        _running.TryAdd(pending, 0);
        // In this order: either DisposeAsync sees the exchange and waits for it, or the exchange sees that the cache is disposed.
        if (_disposed)
        {
            _running.TryRemove(pending, out _);
            throw new ObjectDisposedException(TicketStore.OwnerName);
        }
        table.Metrics.Exchange(key.Kind);
        return pending;
    }

    /// <summary>Runs an exchange without the caller's principal, culture, activity or other ambient state, since it serves many
    /// callers.</summary>
    public Task<ExchangeOutcome> RunDetachedAsync<T>(TicketEntry entry, PendingExchange pending, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        using var suppressed = ExecutionContext.SuppressFlow();
        return Task.Run(() => RunAsync(entry, pending, request), CancellationToken.None);
    }

    /// <summary>Runs the exchange in the caller's context. Never throws; always completes the pending exchange.</summary>
    public async Task<ExchangeOutcome> RunAsync<T>(TicketEntry entry, PendingExchange pending, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        ExchangeOutcome? outcome = null;
        try
        {
            using var activity = pending.StartActivity(entry.Key);
            outcome = Record(entry, pending, await RequestAsync(entry.Key.Kind, request).ConfigureAwait(false));
            table.EvictOverflow();
            pending.RecordOutcome(outcome);
        }
#pragma warning disable CA1031 // an exception of a host's listener or logger must not leave the key without an outcome
        catch (Exception error)
#pragma warning restore CA1031
        {
            outcome ??= new ExchangeOutcome.Faulted(error);
            Release(entry, pending);
        }
        _running.TryRemove(pending, out _);
        pending.Complete(outcome);
        return outcome;
    }

    /// <summary>Waits for the running exchanges, so that no key is zeroed during one.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await Task.WhenAll(_running.Keys.Select(pending => pending.Outcome)).ConfigureAwait(false);
    }

    private async Task<ExchangeOutcome> RequestAsync<T>(TicketKind kind, Func<CancellationToken, Task<T>> request)
        where T : class, ICachedTicket
    {
        var budget = GetTimeout(kind);
        using var deadline = new CancellationTokenSource(budget, clock.TimeProvider);
        try
        {
            return new ExchangeOutcome.Completed(await request(deadline.Token).ConfigureAwait(false));
        }
        catch (KerberosException error)
        {
            return new ExchangeOutcome.Failed(error.Failure, error.InnerException);
        }
        catch (OperationCanceledException error) when (deadline.IsCancellationRequested)
        {
            // The inner exception says what was tried before the time-out.
            var soFar = (error.InnerException as KerberosException)?.Failure ?? new KerberosFailure();
            var detail = $"no ticket within {budget.TotalSeconds:0.###} s{(soFar.Detail.Length > 0 ? ": " : "")}{soFar.Detail}";
            var failure = soFar with { Code = null, Reason = KerberosFailureReason.KdcUnreachable, IsTransient = true, Detail = detail };
            return new ExchangeOutcome.Failed(failure, error.InnerException?.InnerException);
        }
        catch (ExchangePurgedException)
        {
            return new ExchangeOutcome.Purged();
        }
        catch (ObjectDisposedException error) when (_disposed)
        {
            return new ExchangeOutcome.Faulted(error);
        }
#pragma warning disable CA1031 // the waiters receive every exception; nothing is swallowed
        catch (Exception error)
#pragma warning restore CA1031
        {
            TicketCacheLog.ExchangeFaulted(logger, error);
            return new ExchangeOutcome.Faulted(error);
        }
    }

    /// <summary>Returns the time-out of an exchange. An inner exchange ends a little before the outer one: only the inner one knows which
    /// KDC did not answer.</summary>
    private TimeSpan GetTimeout(TicketKind kind) => timeout * (kind switch
    {
        TicketKind.Tgt => 0.8,
        TicketKind.Evidence => 0.9,
        _ => 1,
    });

    private static void Release(TicketEntry entry, PendingExchange pending)
    {
        lock (entry)
        {
            if (ReferenceEquals(entry.Pending, pending))
                entry.Pending = null;
        }
    }

    /// <summary>Stores the ticket, or records the failure, before any waiter receives the outcome.</summary>
    private ExchangeOutcome Record(TicketEntry entry, PendingExchange pending, ExchangeOutcome outcome)
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
                case ExchangeOutcome.Completed completed:
                    table.Store(entry, completed.Ticket);
                    break;
                case ExchangeOutcome.Failed { Failure: { IsTransient: false, Code: not null } refusal }
                    when IsAnswerTo(entry.Key.Kind, refusal):
                    table.Refuse(entry, refusal);
                    break;
                case ExchangeOutcome.Failed failed when entry.Ticket is not null:
                    TicketCacheLog.RefreshFailed(logger, Describe(failed.Failure));
                    table.PostponeRefresh(entry);
                    break;
                default:
                    if (entry.Ticket is null)
                        table.Remove(entry);
                    break;
            }
            return outcome;
        }
    }

    private static string Describe(KerberosFailure failure) =>
        failure.Code is { } code ? KerberosErrorNames.Get(code) : failure.Reason.ToString();

    /// <summary>Returns whether a refusal belongs to an entry of the kind and is remembered there. A user's entry must not remember that
    /// the account's log-on was refused: the account may be repaired meanwhile.</summary>
    private static bool IsAnswerTo(TicketKind kind, KerberosFailure refusal) => kind switch
    {
        // Errors are not authenticated: one forged packet must not stop the account. Only refusals that a retry would make worse are
        // remembered. RejectedKeys remembers a rejected key, so that a corrected one is used at once.
        TicketKind.Tgt => refusal.Exchange == KerberosExchange.LogOn
            && refusal.Code is KerberosErrorCode.ClientRevoked or KerberosErrorCode.KeyExpired,
        TicketKind.Evidence =>
            refusal.Exchange is KerberosExchange.RealmDiscovery or KerberosExchange.Referral or KerberosExchange.S4U2Self,
        _ => refusal.Exchange is KerberosExchange.Referral or KerberosExchange.S4U2Proxy,
    };
}
