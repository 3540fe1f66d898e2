using System.Collections.Immutable;
using KcdDelegation.Kerberos.Crypto;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A provider of keys from the password that the account changes itself.</summary>
/// <remarks>At every moment of a change the KDC has the current password, the pending one, or, if another KDC is asked that does not have
/// the change yet, the last old one. If the KDC rejects one of them, the next one is tried, each once.</remarks>
internal sealed class RollingPasswordKeyProvider : AccountKeyProvider
{
    /// <summary>The time for which a rejected password is not tried again, unless the files change or another one is accepted. Repeated
    /// attempts lock the account.</summary>
    private static readonly TimeSpan RejectionLife = TimeSpan.FromHours(1);

    private readonly string _account;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly KeyFile<Password> _current;
    private readonly OptionalFile<Password> _pending;
    private readonly OptionalFile<IReadOnlyList<OldPassword>> _old;
    private readonly Dictionary<Password, long> _rejected = new(ReferenceEqualityComparer.Instance);
    private volatile Passwords? _passwords;
    private long _version;
    private bool _disposed;

    public RollingPasswordKeyProvider(string account, string path, PasswordRollOptions options, TimeProvider time)
    {
        (_account, _time, Options, Files) = (account, time, options, new PasswordRollFiles(path));
        _current = new KeyFile<Password>(path, account, bytes => ReuseIfKnown(Password.Read(bytes)));
        _pending = new OptionalFile<Password>(Files.PendingPath, bytes => ReuseIfKnown(Password.Read(bytes)));
        _old = new OptionalFile<IReadOnlyList<OldPassword>>(
            Files.OldPath, bytes => [.. OldPassword.Read(bytes).Select(old => old with { Password = ReuseIfKnown(old.Password) })]);
    }

    public PasswordRollOptions Options { get; }

    public PasswordRollFiles Files { get; }

    public override AccountKeySource Source => AccountKeySource.Password;

    public override long Version => Interlocked.Read(ref _version);

    public override string MissingVersionReason =>
        "which is derived neither from the account's current password nor from a pending or an old one; the password was changed by others";

    /// <summary>Gets the passwords that were read last. Reads the files if that has not happened yet.</summary>
    /// <exception cref="KerberosException">The current password cannot be read.</exception>
    public Passwords Held
    {
        get
        {
            if (_passwords is null)
                Refresh(NullLogger.Instance);
            return _passwords!;
        }
    }

    public override void Refresh(ILogger logger)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(ServiceAccount));
            // In this order a change by another process hides no password: the pending one becomes the current one after the current one
            // was added to the old ones.
            _pending.Refresh(logger);
            _current.Refresh(logger);
            _old.Refresh(logger);
            Adopt(new Passwords(_current.Content, _pending.Content, [.. _old.Content ?? []], _current.Content));
        }
    }

    public override ValueTask<bool> TryReplaceRejectedAsync(long version, ILogger logger, CancellationToken cancellationToken)
    {
        Refresh(logger);
        lock (_lock)
        {
            if (Version != version)
                return ValueTask.FromResult(true);
            var held = Held;
            _rejected[held.LogOn] = _time.GetTimestamp();
            if (Candidates(held).FirstOrDefault(candidate => !IsRejected(candidate)) is not { } other)
                return ValueTask.FromResult(false);
            _passwords = held with { LogOn = other };
            Interlocked.Increment(ref _version);
            PasswordRollLog.OtherTried(logger, _account, held.Describe(held.LogOn), held.Describe(other));
            return ValueTask.FromResult(true);
        }
    }

    public override void NoteAccepted(long version)
    {
        lock (_lock)
        {
            // A KDC that accepts this one may have rejected the others because it does not have a change yet.
            if (Version == version)
                _rejected.Clear();
        }
    }

    public override IReadOnlyList<EncryptionType>? AvailableTypes(string realm) => null;

    public override KerberosKey GetLogOnKey(string realm, EncryptionType type, string salt, int iterations) =>
        Held.LogOn.DeriveLogOnKey(realm, type, salt, iterations);

    /// <remarks>Tickets under the pending password arrive before it is the current one, and tickets under old ones until they
    /// end.</remarks>
    public override IReadOnlyList<KerberosKey> GetTicketKeys(string realm, EncryptionType type, uint? kvno, ILogger logger)
    {
        Refresh(logger);
        var (held, keys, now) = (Held, new List<KerberosKey>(), _time.GetUtcNow());
        IEnumerable<Password?> all =
            [held.LogOn, held.Current, held.Pending, .. held.Old.Where(old => old.Until > now).Reverse().Select(old => old.Password)];
        foreach (var password in all.OfType<Password>().Distinct(ReferenceEqualityComparer.Instance).Cast<Password>())
        {
            // The salt belongs to the account and does not change with the password.
            if (password != held.LogOn)
                password.DeriveAs(held.LogOn);
            keys.AddRange(password.TicketKeys(realm, type));
        }
        return keys;
    }

    public override bool HasVersion(string realm, EncryptionType type, uint? kvno) => false;

    public override void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _current.Dispose();
            if (_passwords is not { } held)
                return;
            foreach (var password in held.All)
                password.Dispose();
        }
    }

    private void Adopt(Passwords read)
    {
        if (_passwords is not { } held)
            _passwords = read;
        else if (read.Current != held.Current)
        {
            // Tickets under the new key may arrive before the next log-on names the salt.
            read.Current.DeriveAs(held.LogOn);
            _passwords = read;
        }
        else
        {
            var keeps = read.All.Contains(held.LogOn);
            _passwords = keeps ? read with { LogOn = held.LogOn } : read;
            if (keeps)
            {
                if (read.Pending != held.Pending)
                    _rejected.Clear();
                return;
            }
        }
        _rejected.Clear();
        Interlocked.Increment(ref _version);
    }

    /// <summary>Returns the passwords that a KDC may have, the most likely first.</summary>
    private IEnumerable<Password> Candidates(Passwords held)
    {
        yield return held.Current;
        if (held.Pending is { } pending)
            yield return pending;
        if (held.Old is [.., var last] && last.Until > _time.GetUtcNow())
            yield return last.Password;
    }

    private bool IsRejected(Password password) =>
        _rejected.TryGetValue(password, out var at) && _time.GetElapsedTime(at) < RejectionLife;

    /// <summary>Returns the password object with the same characters that is known already, with its derived keys.</summary>
    private Password ReuseIfKnown(Password read)
    {
        if (Known().FirstOrDefault(read.HasSameCharacters) is not { } known)
            return read;
        read.Dispose();
        return known;
    }

    private IEnumerable<Password> Known() =>
        ((IEnumerable<Password?>)[_pending?.Content, .. _passwords?.All ?? []]).OfType<Password>();

    /// <summary>The passwords of the files.</summary>
    /// <param name="Current">The current one.</param>
    /// <param name="Pending">The one that the KDC is told next, or may have been told, or null.</param>
    /// <param name="Old">The old ones, the last one at the end.</param>
    /// <param name="LogOn">The one that is proven to the KDC.</param>
    internal sealed record Passwords(Password Current, Password? Pending, ImmutableArray<OldPassword> Old, Password LogOn)
    {
        public IEnumerable<Password> All =>
            ((IEnumerable<Password?>)[Current, Pending, .. Old.Select(old => old.Password)]).OfType<Password>();

        /// <summary>Returns the kind of a password, for the log.</summary>
        public string Describe(Password password) => password == Current ? "current" : password == Pending ? "pending" : "old";

        /// <summary>Returns the kinds only: a record would print its parts.</summary>
        public override string ToString() => "(secret)";
    }
}
