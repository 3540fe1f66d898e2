using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;

namespace KcdDelegation.Kerberos;

/// <summary>A service ticket and its session key: immutable, thread-safe, shared with the cache and so not disposable. Its key lives in
/// pinned memory and is zeroed when no one can use it any more (purged or evicted, and no caller holds it), and at once when its
/// client is disposed.</summary>
public sealed class ServiceTicket : ICachedTicket
{
    private AuthenticatorCipher? _cipher;
    private volatile bool _retired;

    internal ServiceTicket(IssuedTicket issued, ServicePrincipalName service, string? securityIdentifier, KdcClock clock, KerberosPrincipal? askedFor = null)
    {
        (Issued, Service, Clock) = (issued, service, clock);
        SecurityIdentifier = securityIdentifier;
        // The cache's key has the very same principal as a rule: no need for two.
        User = issued.ClientPrincipal is var client && client == askedFor ? askedFor : client;
    }

    /// <summary>Whom the service will see: client name and realm as the KDC put them into the ticket.</summary>
    public KerberosPrincipal User { get; }

    /// <summary>The SID of the account that the KDC found for the user, for the audit record; null where the KDC does not say (no
    /// UPN_DNS_INFO in the PAC, MS-PAC §2.10), or no key opens the ticket that says it.</summary>
    public string? SecurityIdentifier { get; }

    /// <summary>The target, as it was asked for.</summary>
    public ServicePrincipalName Service { get; }

    /// <summary>As the KDC set them.</summary>
    public TicketFlags Flags => Issued.Flags;

    /// <summary>Of the ticket (the service's key), as the KDC sent it; any type, RC4 too.</summary>
    public EncryptionType TicketEncryptionType => Issued.Ticket.EncryptedPart.Type;

    /// <summary>Of the session key, one of those that were offered.</summary>
    public EncryptionType SessionKeyType => Issued.SessionKey.Type;

    /// <summary>When the KDC first authenticated, UTC by the KDC's clock.</summary>
    public DateTimeOffset AuthTime => Issued.AuthTime;

    /// <summary>From when on the ticket is valid, UTC by the KDC's clock.</summary>
    public DateTimeOffset StartTime => Issued.StartTime;

    /// <summary>Until when the ticket is valid, UTC by the KDC's clock.</summary>
    public DateTimeOffset EndTime => Issued.EndTime;

    /// <summary>DER bytes of the ticket; a header is about four thirds of it.</summary>
    public int Size => Issued.Size;

    internal IssuedTicket Issued { get; }

    internal KdcClock Clock { get; }

    /// <summary>Whose cryptography makes the authenticators.</summary>
    internal CipherPath CipherPath { get; init; }

    /// <summary>Made when the first header is, since most tickets of a big cache rest; shared by all templates of the ticket.</summary>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    internal AuthenticatorCipher AuthenticatorCipher => Volatile.Read(ref _cipher) ?? CreateCipher();

    /// <summary>Prepares tokens for the service (RFC 4120 §3.2.1). The template costs about as much memory as the ticket: keep it while
    /// it is used.</summary>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired, or its client was disposed.</exception>
    public ApRequestTemplate CreateApRequest(ApRequestOptions options = default)
    {
        ThrowIfUnusable();
        try
        {
            return new ApRequestTemplate(this, options);
        }
        catch (ObjectDisposedException error)
        {
            throw Disposed(error);
        }
    }

    /// <summary>Adds the ticket to an MIT credential cache file (0504), or makes one: mode 0600, replaced atomically. The file can act
    /// as the user: treat it as a password.</summary>
    /// <exception cref="IOException">The file cannot be written, or is something else than a credential cache of this user.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired, or its client was disposed.</exception>
    public Task WriteCredentialCacheAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ThrowIfUnusable();
        return WriteAsync(path, cancellationToken);
    }

    void ICachedTicket.Retire() => _retired = true;

    void ICachedTicket.Destroy()
    {
        _retired = true;
        Issued.Dispose();
        _cipher?.Dispose();
    }

    /// <summary>Prints who, for what and until when; never a key.</summary>
    public override string ToString() => $"{User} for {Service} until {EndTime:u}";

    /// <param name="isOver">Whether its time is over, for a caller who has read the clock already.</param>
    internal void ThrowIfUnusable(bool isOver)
    {
        if (_retired || isOver)
            throw Unusable();
    }

    internal static InvalidOperationException Disposed(ObjectDisposedException error) =>
        new("The ticket's client was disposed: its keys are gone.", error);

    private void ThrowIfUnusable() => ThrowIfUnusable(isOver: Clock.Now >= EndTime);

    private InvalidOperationException Unusable() => new(
        $"The ticket of {User} for {Service} {(_retired ? "was purged" : $"ended at {EndTime:u}")}: ask the client for a new one.");

    private AuthenticatorCipher CreateCipher()
    {
        var created = AuthenticatorCipher.Create(Issued.SessionKey, KeyUsage.ApRequestAuthenticator, CipherPath);
        var winner = Interlocked.CompareExchange(ref _cipher, created, null);
        if (winner is not null)
        {
            created.Dispose();
            return winner;
        }
        try
        {
            // The client may have been disposed meanwhile, when there was no cipher to be seen yet.
            Issued.SessionKey.ThrowIfDisposed();
            return created;
        }
        catch (ObjectDisposedException)
        {
            created.Dispose();
            throw;
        }
    }

    private async Task WriteAsync(string path, CancellationToken cancellationToken)
    {
        var key = GC.AllocateUninitializedArray<byte>(Issued.SessionKey.Profile.KeyLength, pinned: true);
        try
        {
            CopySessionKey(key);
            await CredentialCacheWriter.AddAsync(path, new CachedCredential
            {
                Client = new CachePrincipal(Issued.Client, Issued.ClientRealm),
                Server = new CachePrincipal(Issued.Service, Issued.ServiceRealm),
                SessionKeyType = SessionKeyType,
                SessionKey = key,
                AuthTime = AuthTime,
                StartTime = StartTime,
                EndTime = EndTime,
                RenewUntil = Issued.RenewTill,
                Flags = Flags,
                Ticket = Issued.Ticket.Encoded,
            }, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private void CopySessionKey(Span<byte> target)
    {
        try
        {
            Issued.SessionKey.Bytes.CopyTo(target);
            // The client may have been disposed meanwhile: a file with zeros for a key would be taken for a good one.
            Issued.SessionKey.ThrowIfDisposed();
        }
        catch (ObjectDisposedException error)
        {
            throw Disposed(error);
        }
    }
}
