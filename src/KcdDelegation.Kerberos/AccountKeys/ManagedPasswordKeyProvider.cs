using System.Globalization;
using KcdDelegation.Kerberos.Crypto;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A provider of keys from the password of a group managed service account, which the directory changes.</summary>
/// <remarks>The password is read when the directory's intervals say so, and when the KDC rejects the key or issues a ticket under another
/// one. While the directory cannot be read, the last passwords stay in use. Times are elapsed times, so a change of the clock has no
/// effect.</remarks>
internal sealed class ManagedPasswordKeyProvider(string account, IManagedPasswordSource source, TimeProvider time) : AccountKeyProvider
{
    /// <summary>The shortest time between two reads.</summary>
    private static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(1);

    /// <summary>The time until the next read if a read failed, or if the directory's interval is already over.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(30);

    /// <summary>The time for which a rejected password is not tried again. Repeated attempts lock the account.</summary>
    private static readonly TimeSpan RejectionLife = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _lock = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private volatile Passwords? _passwords;
    private long _version;
    private long _readAt;
    private int _isReading;

    public override AccountKeySource Source => AccountKeySource.ManagedPassword;

    public override long Version => Interlocked.Read(ref _version);

    public override string MissingVersionReason =>
        "which is derived neither from the account's current nor from its previous managed password; the directory that was read may lag "
        + "behind the KDC";

    private Passwords Current => _passwords ?? throw Unavailable(
        account, "", "the account's managed password has not been read yet");

    public override void Refresh(ILogger logger)
    {
        // The password is read asynchronously (RefreshAsync). A read that is due starts here, ahead of the change.
        if (_passwords is { } passwords && IsDue(passwords) && Interlocked.Exchange(ref _isReading, 1) == 0)
            _ = ReadInBackgroundAsync(logger);
    }

    public override async ValueTask RefreshAsync(ILogger logger, CancellationToken cancellationToken)
    {
        if (_passwords is { } passwords && !IsDue(passwords))
            return;
        await ReadAsync(logger, static (provider, current) => current is null || provider.IsDue(current), cancellationToken)
            .ConfigureAwait(false);
    }

    public override async ValueTask ReadAgainAsync(ILogger logger, CancellationToken cancellationToken) =>
        await ReadAsync(logger, static (provider, _) => provider.IsReadAllowed, cancellationToken).ConfigureAwait(false);

    public override async ValueTask<bool> TryReplaceRejectedAsync(long version, ILogger logger, CancellationToken cancellationToken)
    {
        if (Version == version)
            await ReadAgainAsync(logger, cancellationToken).ConfigureAwait(false);
        if (Version != version)
            return true;
        await _lock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (Version != version)
                return true;
            if (_passwords is not { } passwords || !passwords.Password.HasPrevious)
                return false;
            // The KDC that answered may not have the change yet, so it still has the previous password. Each of the two is tried once.
            passwords = passwords.WithRejected(time.GetTimestamp());
            _passwords = passwords;
            if (passwords.OtherRejectedAt is { } other && time.GetElapsedTime(other) < RejectionLife)
                return false;
            _passwords = passwords.Exchange();
            Interlocked.Increment(ref _version);
            var (rejected, tried) = passwords.UsesPrevious ? ("previous", "current") : ("current", "previous");
            ManagedPasswordLog.OtherTried(logger, account, rejected, tried);
            return true;
        }
        finally
        {
            _lock.Release();
        }
    }

    public override IReadOnlyList<EncryptionType>? AvailableTypes(string realm) => null;

    public override KerberosKey GetLogOnKey(string realm, EncryptionType type, string salt, int iterations) =>
        Current.LogOn.DeriveLogOnKey(realm, type, salt, iterations);

    /// <remarks>Tickets under both passwords are in use after a change.</remarks>
    public override IReadOnlyList<KerberosKey> GetTicketKeys(string realm, EncryptionType type, uint? kvno, ILogger logger)
    {
        Refresh(logger);
        if (_passwords?.Password is not { } password)
            return [];
        if (password.Previous is not { } previous)
            return password.Current.TicketKeys(realm, type);
        // The salt belongs to the account and does not change with the password.
        previous.DeriveAs(password.Current);
        password.Current.DeriveAs(previous);
        return [.. password.Current.TicketKeys(realm, type), .. previous.TicketKeys(realm, type)];
    }

    public override bool HasVersion(string realm, EncryptionType type, uint? kvno) => false;

    public override void Dispose()
    {
        _stop.Cancel();
        _passwords?.Password.Dispose();
        _passwords = null;
    }

    private bool IsReadAllowed => _readAt == 0 || time.GetElapsedTime(_readAt) >= MinInterval;

    private bool IsDue(Passwords passwords) => time.GetElapsedTime(passwords.ReadAt) >= passwords.NextRead && IsReadAllowed;

    private async Task ReadInBackgroundAsync(ILogger logger)
    {
        try
        {
            await RefreshAsync(logger, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The account was disposed.
        }
        finally
        {
            Interlocked.Exchange(ref _isReading, 0);
        }
    }

    /// <summary>Reads the passwords unless another caller has done so while this one waited.</summary>
    private async Task ReadAsync(
        ILogger logger, Func<ManagedPasswordKeyProvider, Passwords?, bool> isNeeded, CancellationToken cancellationToken)
    {
        await _lock.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_stop.IsCancellationRequested, typeof(ServiceAccount));
            var held = _passwords;
            if (!isNeeded(this, held))
                return;
            try
            {
                var read = await source.ReadAsync(account, cancellationToken).ConfigureAwait(false);
                Adopt(read, held, logger);
            }
            catch (ManagedPasswordException failure)
            {
                if (held is null)
                    throw Unreadable(failure);
                _passwords = held with { ReadAt = time.GetTimestamp(), NextRead = RetryInterval };
                ManagedPasswordLog.ReadFailed(logger, account, failure.Message);
            }
            finally
            {
                _readAt = time.GetTimestamp();
            }
        }
        finally
        {
            _lock.Release();
        }
    }

    private void Adopt(ManagedPassword read, Passwords? held, ILogger logger)
    {
        var nextRead = GetNextRead(read);
        // Keys are derived slowly, so those of an unchanged password are kept.
        if (held is not null && held.Password.Current.HasSameCharacters(read.Current) && held.Password.HasPrevious == read.HasPrevious)
        {
            read.Dispose();
            _passwords = held with { ReadAt = time.GetTimestamp(), NextRead = nextRead };
            return;
        }
        // Tickets under the new key may arrive before the next log-on names the salt.
        if (held is not null)
        {
            read.Current.DeriveAs(held.Password.Current);
            read.Previous?.DeriveAs(held.Password.Current);
        }
        // The superseded passwords are not disposed: an exchange may be using their keys. They are zeroed once unreachable.
        _passwords = new Passwords(read) { ReadAt = time.GetTimestamp(), NextRead = nextRead };
        var version = Interlocked.Increment(ref _version);
        ManagedPasswordLog.Read(logger, account, version, nextRead.ToString("c", CultureInfo.InvariantCulture));
        if (_stop.IsCancellationRequested)
            Dispose();
    }

    /// <summary>Returns the time of the next read: before the password may change, or after it has changed.</summary>
    private static TimeSpan GetNextRead(ManagedPassword password)
    {
        var next = password.UnchangedInterval > TimeSpan.Zero ? password.UnchangedInterval : password.QueryInterval;
        return next > RetryInterval ? next : RetryInterval;
    }

    private KerberosException Unreadable(ManagedPasswordException failure) => new(
        new KerberosFailure
        {
            Exchange = KerberosExchange.Configuration,
            Reason = KerberosFailureReason.KeyUnavailable,
            Account = account,
            KeySource = AccountKeySource.ManagedPassword,
            IsTransient = failure.Failure == ManagedPasswordFailure.Unavailable,
            Detail = $"the managed password of {account} cannot be read: {failure.Message}",
        },
        failure);

    /// <summary>The passwords that were read last.</summary>
    private sealed record Passwords(ManagedPassword Password)
    {
        public required long ReadAt { get; init; }

        public required TimeSpan NextRead { get; init; }

        /// <summary>Gets whether the previous password is proven, because the KDC rejected the current one.</summary>
        public bool UsesPrevious { get; init; }

        /// <summary>Gets the time at which the KDC rejected the password that is not in use, or null.</summary>
        public long? OtherRejectedAt { get; init; }

        public Password LogOn => UsesPrevious ? Password.Previous! : Password.Current;

        private long? RejectedAt { get; init; }

        public Passwords WithRejected(long at) => this with { RejectedAt = at };

        public Passwords Exchange() =>
            this with { UsesPrevious = !UsesPrevious, RejectedAt = OtherRejectedAt, OtherRejectedAt = RejectedAt };
    }
}
