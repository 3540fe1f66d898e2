using System.Security.Cryptography;
using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;

namespace KcdDelegation.Kerberos;

/// <summary>A service ticket and its session key. Immutable, thread-safe, and shared with the cache, so it is not disposable.</summary>
/// <remarks>The key is in pinned memory. It is zeroed when the ticket is purged or evicted and no longer referenced, and at once when
/// its client is disposed.</remarks>
public sealed class ServiceTicket : ICachedTicket
{
    private AuthenticatorCipher? _cipher;
    private volatile bool _retired;

    internal ServiceTicket(IssuedTicket issued, DelegationRequest request, string? securityIdentifier, KdcClock clock)
        : this(issued, request.Service, securityIdentifier, clock, request.User) => Request = request;

    internal ServiceTicket(
        IssuedTicket issued, ServicePrincipalName service, string? securityIdentifier, KdcClock clock, KerberosPrincipal? askedFor = null)
    {
        (Issued, Service, Clock) = (issued, service, clock);
        SecurityIdentifier = securityIdentifier;
        // Usually equal to the principal in the cache's key: one object serves both.
        User = issued.ClientPrincipal is var client && client == askedFor ? askedFor : client;
    }

    /// <summary>Gets the user that the service sees: client name and realm as in the KDC's reply.</summary>
    public KerberosPrincipal User { get; }

    /// <summary>Gets the SID of the account that the KDC found for the user, for the audit record. Null without UPN_DNS_INFO in the PAC
    /// (MS-PAC §2.10), or if no key opens the evidence ticket.</summary>
    public string? SecurityIdentifier { get; }

    /// <summary>Gets the target, as the caller requested it.</summary>
    public ServicePrincipalName Service { get; }

    /// <summary>Gets the ticket flags that the KDC set.</summary>
    public TicketFlags Flags => Issued.Flags;

    /// <summary>Gets the encryption type of the ticket (the service's key). The KDC chooses it; RC4 is possible.</summary>
    public EncryptionType TicketEncryptionType => Issued.Ticket.EncryptedPart.Type;

    /// <summary>Gets the version of the service's key that encrypts the ticket, as in a keytab. Null if the KDC states none.</summary>
    public uint? TicketKeyVersion => Issued.Ticket.EncryptedPart.KeyVersion;

    /// <summary>Gets the encryption type of the session key, one of those that were offered.</summary>
    public EncryptionType SessionKeyType => Issued.SessionKey.Type;

    /// <summary>Gets the time of the initial authentication, in UTC by the KDC's clock.</summary>
    public DateTimeOffset AuthTime => Issued.AuthTime;

    /// <summary>Gets the start of the ticket's validity, in UTC by the KDC's clock.</summary>
    public DateTimeOffset StartTime => Issued.StartTime;

    /// <summary>Gets the end of the ticket's validity, in UTC by the KDC's clock.</summary>
    public DateTimeOffset EndTime => Issued.EndTime;

    /// <summary>Gets the length of the ticket's DER in bytes. A header is about four thirds of it.</summary>
    public int Size => Issued.Size;

    /// <summary>Gets whether headers can be created: the ticket has not ended, was not purged or evicted, and its client is not
    /// disposed.</summary>
    /// <remarks>A ticket may be evicted between look-up and use. Get it from the client again then.</remarks>
    public bool IsUsable => !_retired && Clock.Now < EndTime;

    internal IssuedTicket Issued { get; }

    /// <summary>Gets the request that the ticket answers, or null for a ticket that is in no cache.</summary>
    internal DelegationRequest? Request { get; }

    /// <summary>Gets whether the ticket is the account's own, and not a user's.</summary>
    internal bool IsOfAccount { get; init; }

    internal KdcClock Clock { get; }

    /// <summary>Gets whether the ticket was purged, evicted or destroyed. No token may be made from it.</summary>
    internal bool IsRetired => _retired;

    /// <summary>Gets the implementation that encrypts the authenticators.</summary>
    internal CipherPath CipherPath { get; init; }

    /// <summary>Gets the cipher that all templates of the ticket share. Created with the first header, since most tickets of a large cache
    /// are not in use.</summary>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    internal AuthenticatorCipher AuthenticatorCipher => Volatile.Read(ref _cipher) ?? CreateCipher();

    /// <summary>Creates a template of tokens for the service (RFC 4120 §3.2.1). With its prefix a template takes about as much memory as
    /// the ticket: keep it only while it is used.</summary>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired, or its client is disposed.</exception>
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

    /// <summary>Adds the ticket to an MIT credential cache file (version 0504), or creates the file with mode 0600. Replaces it
    /// atomically.</summary>
    /// <remarks>The file can act as the user. Protect it like a password.</remarks>
    /// <exception cref="IOException">The file cannot be written, or it is not a credential cache of this user.</exception>
    /// <exception cref="UnauthorizedAccessException">This process may not write the file.</exception>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired, or its client is disposed.</exception>
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

    /// <summary>Returns user, service and end of the ticket; never a key.</summary>
    public override string ToString() => $"{User} for {Service} until {EndTime:u}";

    internal static InvalidOperationException Disposed(ObjectDisposedException error) =>
        new("The client of the ticket is disposed and its keys are zeroed.", error);

    internal InvalidOperationException Unusable() => new(
        $"The ticket of {User} for {Service} {(_retired ? "was purged" : $"ended at {EndTime:u}")}: ask the client for a new one.");

    private void ThrowIfUnusable()
    {
        if (_retired || Clock.Now >= EndTime)
            throw Unusable();
    }

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
            // If the client was disposed concurrently, it did not see this cipher.
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
            // If the client was disposed concurrently, the key is zeros and must not be written.
            Issued.SessionKey.ThrowIfDisposed();
        }
        catch (ObjectDisposedException error)
        {
            throw Disposed(error);
        }
    }
}
