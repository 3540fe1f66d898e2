using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.PasswordChange;

/// <summary>Changes the account's password on a schedule, so that a failure or crash at any point locks nothing out.</summary>
/// <remarks>The new password is stored before the KDC is told, and it becomes the current one after a log-on with it. Until then both are
/// kept, and a change that was interrupted is continued with the same password. Only one process or client changes it at a time.</remarks>
internal sealed class PasswordRoller(ExchangeContext context, RollingPasswordKeyProvider keys, PasswordChanger changer) : IAsyncDisposable
{
    /// <summary>The longest time between two looks at the age of the password: the clock may be set, and another process may change
    /// it.</summary>
    private static readonly TimeSpan CheckInterval = TimeSpan.FromHours(1);

    /// <summary>The time until the next attempt after failures in a row.</summary>
    private static readonly TimeSpan[] s_retries =
        [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1)];

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly long _started = context.Clock.TimeProvider.GetTimestamp();
    private Task _running = Task.CompletedTask;

    private TimeProvider Time => context.Clock.TimeProvider;

    private ILogger Logger => context.Logger;

    private string Account => context.Account.Name;

    /// <summary>Called after each step. A test ends the change there, as a crash does.</summary>
    internal Action<PasswordRollStep>? StepCompleted { get; set; }

    /// <summary>Creates the roller of an account that changes its own password. Returns null for other accounts.</summary>
    public static PasswordRoller? Create(
        ExchangeContext context, IReadOnlyList<KdcEndpoint> passwordServers,
        IEnumerable<KeyValuePair<string, IReadOnlyList<KdcEndpoint>>> kdcs)
    {
        if (context.Account.Keys is not RollingPasswordKeyProvider keys)
            return null;
        var time = context.Clock.TimeProvider;
        var servers = PasswordServers.Create(passwordServers, kdcs, time, context.Logger);
        return new PasswordRoller(context, keys, new PasswordChanger(context, servers, SingleDelivery.Create(time)));
    }

    /// <summary>Starts the schedule.</summary>
    public void Start()
    {
        // The schedule outlives the caller, so it must not run in the caller's execution context.
        using var flow = ExecutionContext.SuppressFlow();
        _running = Task.Run(() => RunAsync(_stop.Token));
    }

    /// <summary>Changes the password if that is due or requested, and continues a change that was interrupted.</summary>
    /// <returns>False if it is not due, or if another process or client is changing it.</returns>
    /// <exception cref="KerberosException">The password was not changed, or the change is not confirmed yet. Log-on still works with the
    /// passwords that are stored.</exception>
    public async Task<bool> RollAsync(bool isRequested, CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        await _one.WaitAsync(linked.Token).ConfigureAwait(false);
        try
        {
            return await RollAsync(isRequested || IsDue(), isRequested, linked.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Failed($"the files next to {keys.Files.CurrentPath} cannot be written: {failure.Message}; give the process write access "
                + "to the directory, and free space", KerberosFailureReason.KeyUnavailable, failure);
        }
        catch (KerberosException error)
        {
            throw error.InContext(context.Describe(new KerberosFailure { Exchange = KerberosExchange.PasswordChange }, context.Realm));
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        // Waits for a change that was requested.
        await _one.WaitAsync().ConfigureAwait(false);
        _one.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            TimeSpan wait;
            try
            {
                await RollAsync(isRequested: false, cancellationToken).ConfigureAwait(false);
                failures = 0;
                // A change that another process began is looked at again soon: that process may have ended.
                wait = keys.Held.Pending is null ? GetTimeUntilDue() : s_retries[0];
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (KerberosException error)
            {
                // Every attempt with a wrong password counts towards the lock-out of the account.
                wait = error.Code == KerberosErrorCode.PreAuthenticationFailed ? s_retries[^1]
                    : s_retries[Math.Min(failures++, s_retries.Length - 1)];
                PasswordRollLog.Failed(Logger, Account, context.Realm, error.Message, wait);
            }
            await Task.Delay(wait, Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private bool IsDue() => GetAge() >= keys.Options.Interval;

    /// <summary>Returns the age of the password. A file that is newer than the clock was written before the clock was set back; its age
    /// is then the time since the start.</summary>
    private TimeSpan GetAge()
    {
        var age = Time.GetUtcNow() - keys.Files.ChangedAt;
        return age >= TimeSpan.Zero ? age : Time.GetElapsedTime(_started);
    }

    private TimeSpan GetTimeUntilDue()
    {
        var left = keys.Options.Interval - GetAge();
        return left > CheckInterval ? CheckInterval : left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);
    }

    private async Task<bool> RollAsync(bool isDue, bool isRequested, CancellationToken cancellationToken)
    {
        keys.Refresh(Logger);
        if (!isDue && keys.Held.Pending is null)
            return false;
        if (keys.Files.IsLink)
        {
            throw Failed($"{keys.Files.CurrentPath} is a link, such as that of a mounted secret, so a new password cannot be stored in "
                + "its target; use a regular file in a directory that the process can write", KerberosFailureReason.KeyUnavailable);
        }
        using var claim = keys.Files.Claim();
        if (claim is null)
        {
            PasswordRollLog.ClaimedElsewhere(Logger, Account);
            return false;
        }
        keys.Files.DeleteLeftovers();
        // Another process may have changed the password while this one waited for the lock.
        keys.Refresh(Logger);
        var isNew = keys.Held.Pending is null;
        if (isNew && !isRequested && !IsDue())
            return false;
        if (isNew)
            await StorePendingAsync(cancellationToken).ConfigureAwait(false);
        else
            PasswordRollLog.Continued(Logger, Account);
        var (current, pending) = (keys.Held.Current, keys.Held.Pending!);
        await TellAsync(current, pending, isNew, cancellationToken).ConfigureAwait(false);
        await PromoteAsync(current, cancellationToken).ConfigureAwait(false);
        PasswordRollLog.Changed(Logger, Account, context.Realm, keys.Options.Interval);
        return true;
    }

    private async Task StorePendingAsync(CancellationToken cancellationToken)
    {
        using (var created = GeneratedPassword.Create(Account))
            await keys.Files.WritePendingAsync(created, cancellationToken).ConfigureAwait(false);
        // What the KDC is told is what was read back from the disk.
        keys.Refresh(Logger);
        if (keys.Held.Pending is null)
            throw new IOException($"{keys.Files.PendingPath} was written and cannot be read");
        Completed(PasswordRollStep.Stored);
    }

    /// <summary>Tells the KDC the pending password. Returns when a log-on with it has succeeded.</summary>
    private async Task TellAsync(Password current, Password pending, bool isNew, CancellationToken cancellationToken)
    {
        PasswordChangeOutcome outcome;
        try
        {
            outcome = await changer.ChangeAsync(current, pending, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException notTold) when (isNew)
        {
            // The request was not sent, so the KDC certainly does not have it.
            keys.Files.DeletePending();
            throw NotChanged(notTold);
        }
        catch (KerberosException rejected) when (rejected.Code == KerberosErrorCode.PreAuthenticationFailed)
        {
            // The change was carried out before it was interrupted, or it was not and the current password is wrong.
            await ConfirmAsync(pending, cancellationToken).ConfigureAwait(false);
            return;
        }
        Completed(PasswordRollStep.Told);
        switch (outcome)
        {
            case PasswordChangeOutcome.Refused refused when isNew:
                keys.Files.DeletePending();
                throw Refused(refused.Result);
            case PasswordChangeOutcome.Refused refused when !await IsAcceptedAsync(pending, cancellationToken).ConfigureAwait(false):
                throw Refused(refused.Result);
            case PasswordChangeOutcome.Unknown unknown when await IsAcceptedAsync(current, cancellationToken).ConfigureAwait(false):
                // The server may still carry it out, or the KDC that was asked may not have the change yet.
                throw Failed($"the server gave no valid answer ({unknown.Error.Detail}), and the KDC still accepts the current password; "
                    + "both are kept");
            case PasswordChangeOutcome.Unknown:
            case PasswordChangeOutcome.Changed:
                await ConfirmAsync(pending, cancellationToken).ConfigureAwait(false);
                break;
        }
        Completed(PasswordRollStep.Confirmed);
    }

    private async Task PromoteAsync(Password current, CancellationToken cancellationToken)
    {
        var now = Time.GetUtcNow();
        var kept = keys.Held.Old.Where(old => old.Until > now && !old.Password.HasSameCharacters(current))
            .TakeLast(OldPassword.MaxCount - 1).Append(new OldPassword(current, now + keys.Options.OldKeyLifetime));
        await keys.Files.WriteOldAsync(kept, cancellationToken).ConfigureAwait(false);
        Completed(PasswordRollStep.OldKept);
        keys.Files.Promote();
        Completed(PasswordRollStep.Promoted);
        keys.Refresh(Logger);
    }

    /// <summary>Logs on with the pending password, once.</summary>
    private async Task ConfirmAsync(Password pending, CancellationToken cancellationToken)
    {
        try
        {
            await changer.ConfirmAsync(pending, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException error)
        {
            throw new KerberosException(
                error.Failure with
                {
                    Exchange = KerberosExchange.PasswordChange,
                    Detail = $"the new password is not confirmed: the log-on with it failed ({error.Detail}); the current and the new "
                        + "password are both kept, and log-on tries both",
                },
                error);
        }
    }

    private async Task<bool> IsAcceptedAsync(Password password, CancellationToken cancellationToken)
    {
        try
        {
            await changer.ConfirmAsync(password, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (KerberosException rejected) when (rejected.Code == KerberosErrorCode.PreAuthenticationFailed)
        {
            return false;
        }
    }

    private void Completed(PasswordRollStep step) => StepCompleted?.Invoke(step);

    private static KerberosException NotChanged(KerberosException error) => new(
        error.Failure with
        {
            Exchange = KerberosExchange.PasswordChange,
            Detail = $"the password was not changed, and the current one stays in use: {error.Detail}",
        },
        error);

    private static KerberosException Refused(PasswordResult result) => Failed(
        $"the password server refused the change with {result.Code} ({(int)result.Code}): "
        + $"{(result.Text.Length > 0 ? result.Text : "no reason given")}; the current password stays in use; {GetRemedy(result.Code)}",
        KerberosFailureReason.KdcError);

    private static string GetRemedy(PasswordResultCode code) => code switch
    {
        PasswordResultCode.PolicyViolation => "if the password is too new, wait for the domain's minimum password age, or set a shorter "
            + "one for this account; a generated password has 120 characters of all classes",
        PasswordResultCode.AccessDenied => "allow the account to change its own password (\"User cannot change password\" must be off)",
        _ => "see the log of the domain controller or of kadmind",
    };

    private static KerberosException Failed(
        string detail, KerberosFailureReason reason = KerberosFailureReason.ReplyRejected, Exception? inner = null) =>
        new(new KerberosFailure { Exchange = KerberosExchange.PasswordChange, Reason = reason, Detail = detail }, inner);
}

/// <summary>The steps of a change, in order.</summary>
internal enum PasswordRollStep
{
    /// <summary>The pending password is on the disk.</summary>
    Stored,

    /// <summary>The password server was told and has answered, or not.</summary>
    Told,

    /// <summary>The KDC accepts the pending password.</summary>
    Confirmed,

    /// <summary>The current password is among the old ones on the disk.</summary>
    OldKept,

    /// <summary>The pending password is the current one.</summary>
    Promoted,
}
