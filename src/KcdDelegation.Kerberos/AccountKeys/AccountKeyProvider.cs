using KcdDelegation.Kerberos.Crypto;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>Where the long-term keys of the delegating account come from. Thread-safe. Keys that were given out stay usable until the
/// source is disposed or nobody can reach them.</summary>
internal abstract class AccountKeyProvider : IDisposable
{
    /// <summary>Grows whenever the keys may have become others. A key that the KDC rejected is not tried again before it grows.</summary>
    public abstract long Version { get; }

    /// <summary>Reads the source again if it has changed; to be called before an AS exchange. A source that has become unreadable keeps
    /// the keys it had, and says so in the log.</summary>
    /// <exception cref="KerberosException">Nothing could be read yet (<see cref="KerberosFailureReason.KeyUnavailable"/>).</exception>
    public abstract void Refresh(ILogger logger);

    /// <summary>The types of the keys at hand, or null if a key of any type can be made (a password).</summary>
    /// <exception cref="KerberosException">There is no usable key for the account in this realm.</exception>
    public abstract IReadOnlyList<EncryptionType>? AvailableTypes(string realm);

    /// <summary>The newest key of a type, for the account's own AS exchange.</summary>
    /// <param name="realm">The account's realm.</param>
    /// <param name="type">One of <see cref="AvailableTypes"/>.</param>
    /// <param name="salt">As the KDC said (RFC 4120 §5.2.7.5); of no meaning to a keytab.</param>
    /// <param name="iterations">Already limited: from the wire it may be anything.</param>
    /// <exception cref="KerberosException">There is no such key.</exception>
    public abstract KerberosKey GetLogOnKey(string realm, EncryptionType type, string salt, int iterations);

    /// <summary>The keys that may open a ticket to the account, likeliest first; empty if there are none. The source is read again when
    /// the version that the ticket names is not there.</summary>
    public abstract IReadOnlyList<KerberosKey> GetTicketKeys(string realm, EncryptionType type, uint? kvno, ILogger logger);

    /// <summary>Whether there is a key that is known to be of the version that a ticket names; a password's is not.</summary>
    public abstract bool HasVersion(string realm, EncryptionType type, uint? kvno);

    /// <summary>What is wrong where there is none, as the end of a sentence.</summary>
    public abstract string LackOfVersion { get; }

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
