using KcdDelegation.Kerberos.Crypto;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A source of the delegating account's long-term keys. Thread-safe.</summary>
/// <remarks>Keys that were returned stay usable until the provider is disposed or they are unreachable.</remarks>
internal abstract class AccountKeyProvider : IDisposable
{
    /// <summary>Gets a number that grows whenever the keys may have changed. A key that the KDC rejected is not retried before it
    /// grows.</summary>
    public abstract long Version { get; }

    /// <summary>Reads the source again if it has changed. Called before an AS exchange.</summary>
    /// <remarks>If the source has become unreadable, the previous keys stay in use and a warning is logged.</remarks>
    /// <exception cref="KerberosException">Nothing has been read yet (<see cref="KerberosFailureReason.KeyUnavailable"/>).</exception>
    public abstract void Refresh(ILogger logger);

    /// <summary>Reads the source again if that is due, asynchronously where the source is not a file. Called before an AS
    /// exchange.</summary>
    /// <exception cref="KerberosException">Nothing has been read yet (<see cref="KerberosFailureReason.KeyUnavailable"/>).</exception>
    public virtual ValueTask RefreshAsync(ILogger logger, CancellationToken cancellationToken)
    {
        Refresh(logger);
        return ValueTask.CompletedTask;
    }

    /// <summary>Reads the source again because the keys do not fit what the KDC uses.</summary>
    public virtual ValueTask ReadAgainAsync(ILogger logger, CancellationToken cancellationToken) => RefreshAsync(logger, cancellationToken);

    /// <summary>Gets another key after the KDC rejected the keys of a version. Returns whether there is one to try.</summary>
    public virtual ValueTask<bool> TryReplaceRejectedAsync(long version, ILogger logger, CancellationToken cancellationToken) =>
        ValueTask.FromResult(false);

    /// <summary>Notes that the KDC accepted the keys of a version.</summary>
    public virtual void NoteAccepted(long version)
    {
    }

    /// <summary>Gets the kind of the source, for errors.</summary>
    public abstract AccountKeySource Source { get; }

    /// <summary>Returns the types of the available keys, or null if a key of any type can be derived (a password).</summary>
    /// <exception cref="KerberosException">There is no usable key for the account in this realm.</exception>
    public abstract IReadOnlyList<EncryptionType>? AvailableTypes(string realm);

    /// <summary>Returns the newest key of a type, for the account's own AS exchange.</summary>
    /// <param name="realm">The account's realm.</param>
    /// <param name="type">One of <see cref="AvailableTypes"/>.</param>
    /// <param name="salt">The KDC's salt (RFC 4120 §5.2.7.5). A keytab ignores it.</param>
    /// <param name="iterations">The number of iterations, which the caller has checked against its bounds.</param>
    /// <exception cref="KerberosException">There is no such key.</exception>
    public abstract KerberosKey GetLogOnKey(string realm, EncryptionType type, string salt, int iterations);

    /// <summary>Returns the keys that may open a ticket to the account, the most likely first. Reads the source again if it lacks the
    /// ticket's key version.</summary>
    public abstract IReadOnlyList<KerberosKey> GetTicketKeys(string realm, EncryptionType type, uint? kvno, ILogger logger);

    /// <summary>Returns whether a key of the ticket's version is available. A password has no versions.</summary>
    public abstract bool HasVersion(string realm, EncryptionType type, uint? kvno);

    /// <summary>Gets the end of a sentence that says why a version is missing.</summary>
    public abstract string MissingVersionReason { get; }

    /// <summary>Returns the realm of the account's keys as the source writes it, or null if the source names no realm.</summary>
    public virtual string? GetRealmName(string realm) => null;

    public abstract void Dispose();

    protected static KerberosException Unavailable(string account, string realm, string detail) =>
        new(new KerberosFailure
        {
            Exchange = KerberosExchange.Configuration,
            Reason = KerberosFailureReason.KeyUnavailable,
            Account = account,
            Realm = realm,
            Detail = detail,
        });
}
