using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Testing.Issuing;

/// <summary>The issuer's signing keys, newest first. Thread-safe.</summary>
internal sealed class SigningKeys : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<RSA> _all = [];
    private ImmutableArray<RsaSecurityKey> _published;

    public SigningKeys() => _published = [Create()];

    public RsaSecurityKey Newest => Published[0];

    public ImmutableArray<RsaSecurityKey> Published
    {
        get
        {
            lock (_lock)
                return _published;
        }
    }

    /// <summary>Creates a key that is not published.</summary>
    public RsaSecurityKey Create()
    {
        var rsa = RSA.Create(2048);
        lock (_lock)
            _all.Add(rsa);
        return new RsaSecurityKey(rsa) { KeyId = Base64UrlEncoder.Encode(SHA256.HashData(rsa.ExportSubjectPublicKeyInfo())) };
    }

    public void Rotate()
    {
        var key = Create();
        lock (_lock)
            _published = _published.Insert(0, key);
    }

    public void WithdrawOld()
    {
        lock (_lock)
            _published = [_published[0]];
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var rsa in _all)
                rsa.Dispose();
        }
    }
}
