using System.Runtime.InteropServices;
using System.Text;

namespace KcdDelegation.Benchmarks.Peers;

/// <summary>MIT's GSSAPI, called directly with the fewest calls: credential and target name are reused, the tickets are in a memory
/// credential cache, and only the token is created, without base64.</summary>
internal sealed unsafe partial class MitGssapi : IDisposable
{
    private static readonly byte[] Krb5 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
    private static readonly byte[] Spnego = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
    private static readonly byte[] HostBasedService = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x01, 0x04];

    private readonly Oid* _mechanism;
    private readonly nint[] _credentials;
    private nint _target;

    /// <param name="caches">A credential cache for each user.</param>
    /// <param name="service">Such as HTTP/app.bench.test.</param>
    /// <param name="format">SPNEGO or raw Kerberos.</param>
    public MitGssapi(IEnumerable<string> caches, string service, TokenFormat format)
    {
        _mechanism = Allocate(format == TokenFormat.Spnego ? Spnego : Krb5);
        var name = Encoding.UTF8.GetBytes(service.Replace('/', '@'));
        fixed (byte* text = name)
        {
            var buffer = new GssBuffer { Length = (nuint)name.Length, Value = (nint)text };
            var type = Allocate(HostBasedService);
            Check(ImportName(out var minor, &buffer, type, out _target), minor);
        }
        _credentials = [.. caches.Select(Acquire)];
    }

    /// <summary>Creates one initial token of one user and returns its length.</summary>
    public int Make(int user)
    {
        var token = Initiate(user);
        var length = (int)token.Length;
        Check(ReleaseBuffer(out var minor, &token), minor);
        return length;
    }

    /// <summary>Creates the same token as a header, for validation.</summary>
    public string MakeHeader(int user)
    {
        var token = Initiate(user);
        var value = "Negotiate " + Convert.ToBase64String(new ReadOnlySpan<byte>((void*)token.Value, (int)token.Length));
        Check(ReleaseBuffer(out var minor, &token), minor);
        return value;
    }

    public void Dispose()
    {
        foreach (var credential in _credentials)
        {
            var held = credential;
            Check(ReleaseCredential(out var minor, ref held), minor);
        }
        Check(ReleaseName(out var last, ref _target), last);
    }

    private GssBuffer Initiate(int user)
    {
        nint context = 0;
        GssBuffer token;
        Check(InitSecContext(out var minor, _credentials[user], ref context, _target, _mechanism, 0, 0, 0, null, null, &token, out _,
            null), minor);
        Check(DeleteSecContext(out minor, ref context, null), minor);
        return token;
    }

    private nint Acquire(string cache)
    {
        var key = Marshal.StringToCoTaskMemUTF8("ccache");
        var value = Marshal.StringToCoTaskMemUTF8(cache);
        var element = stackalloc nint[] { key, value };
        var store = new KeyValueSet { Count = 1, Elements = (nint)element };
        var mechanisms = new OidSet { Count = 1, Elements = _mechanism };
        Check(AcquireCredentialFrom(out var minor, 0, uint.MaxValue, &mechanisms, 1, &store, out var credential, null, null), minor);
        Marshal.FreeCoTaskMem(key);
        Marshal.FreeCoTaskMem(value);
        return credential;
    }

    /// <summary>RFC 2744 §3.9.1: the upper half is an error. "continue needed" is not an error: the peer expects the token.</summary>
    private static void Check(uint major, uint minor)
    {
        if ((major & 0xFFFF_0000) != 0)
            throw new InvalidOperationException($"GSSAPI failed: major {major:X8}, minor {minor}");
    }

    private static Oid* Allocate(byte[] bytes)
    {
        var elements = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
        bytes.CopyTo(new Span<byte>(elements, bytes.Length));
        var oid = (Oid*)NativeMemory.Alloc((nuint)sizeof(Oid));
        *oid = new Oid { Length = (uint)bytes.Length, Elements = (nint)elements };
        return oid;
    }

    [LibraryImport("libgssapi_krb5.so.2", EntryPoint = "gss_import_name")]
    private static partial uint ImportName(out uint minor, GssBuffer* name, Oid* type, out nint result);

    [LibraryImport("libgssapi_krb5.so.2", EntryPoint = "gss_acquire_cred_from")]
    private static partial uint AcquireCredentialFrom(out uint minor, nint name, uint time, OidSet* mechanisms, int usage,
        KeyValueSet* store, out nint credential, void* actual, uint* lifetime);

    [LibraryImport("libgssapi_krb5.so.2", EntryPoint = "gss_init_sec_context")]
    private static partial uint InitSecContext(out uint minor, nint credential, ref nint context, nint target, Oid* mechanism,
        uint flags, uint time, nint bindings, GssBuffer* input, void* actual, GssBuffer* output, out uint resultFlags, uint* lifetime);

    [LibraryImport("libgssapi_krb5.so.2", EntryPoint = "gss_delete_sec_context")]
    private static partial uint DeleteSecContext(out uint minor, ref nint context, GssBuffer* output);

    [LibraryImport("libgssapi_krb5.so.2", EntryPoint = "gss_release_buffer")]
    private static partial uint ReleaseBuffer(out uint minor, GssBuffer* buffer);

    [LibraryImport("libgssapi_krb5.so.2", EntryPoint = "gss_release_cred")]
    private static partial uint ReleaseCredential(out uint minor, ref nint credential);

    [LibraryImport("libgssapi_krb5.so.2", EntryPoint = "gss_release_name")]
    private static partial uint ReleaseName(out uint minor, ref nint name);

    [StructLayout(LayoutKind.Sequential)]
    private struct GssBuffer
    {
        public nuint Length;
        public nint Value;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Oid
    {
        public uint Length;
        public nint Elements;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct OidSet
    {
        public nuint Count;
        public Oid* Elements;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct KeyValueSet
    {
        public uint Count;
        public nint Elements;
    }
}
