using System.Runtime.InteropServices;

namespace KcdDelegation.Benchmarks.Peers;

/// <summary>The functions of MIT's libkrb5 that the peers need (krb5.h, 1.20). Handles are opaque.</summary>
internal static unsafe partial class LibKrb5
{
    private const string Library = "libkrb5.so.3";

    /// <summary>KRB5_GC_NO_STORE: tickets do not enter the credential cache.</summary>
    public const uint DoNotStore = 8;

    /// <summary>KRB5_GC_CONSTRAINED_DELEGATION.</summary>
    public const uint ConstrainedDelegation = 64;

    /// <exception cref="InvalidOperationException">The call failed; the message is that of the library.</exception>
    public static void Check(nint context, int code)
    {
        if (code == 0)
            return;
        var message = GetErrorMessage(context, code);
        var text = Marshal.PtrToStringUTF8(message);
        FreeErrorMessage(context, message);
        throw new InvalidOperationException($"libkrb5: {text} ({code})");
    }

    /// <summary>krb5_creds.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Credentials
    {
        public int Magic;
        public nint Client;
        public nint Server;
        public KeyBlock Key;
        public int AuthTime;
        public int StartTime;
        public int EndTime;
        public int RenewTill;
        public uint IsSessionKey;
        public int TicketFlags;
        public nint Addresses;
        public Data Ticket;
        public Data SecondTicket;
        public nint AuthorizationData;
    }

    /// <summary>krb5_keyblock.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct KeyBlock
    {
        public int Magic;
        public int Type;
        public uint Length;
        public nint Contents;
    }

    /// <summary>krb5_data.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Data
    {
        public int Magic;
        public uint Length;
        public nint Bytes;
    }

    [LibraryImport(Library, EntryPoint = "krb5_init_context")]
    public static partial int InitContext(out nint context);

    [LibraryImport(Library, EntryPoint = "krb5_free_context")]
    public static partial void FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "krb5_cc_resolve", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ResolveCache(nint context, string name, out nint cache);

    [LibraryImport(Library, EntryPoint = "krb5_cc_get_principal")]
    public static partial int GetCachePrincipal(nint context, nint cache, out nint principal);

    [LibraryImport(Library, EntryPoint = "krb5_cc_initialize")]
    public static partial int InitializeCache(nint context, nint cache, nint principal);

    [LibraryImport(Library, EntryPoint = "krb5_cc_copy_creds")]
    public static partial int CopyCredentials(nint context, nint from, nint to);

    [LibraryImport(Library, EntryPoint = "krb5_cc_store_cred")]
    public static partial int StoreCredentials(nint context, nint cache, Credentials* credentials);

    [LibraryImport(Library, EntryPoint = "krb5_cc_close")]
    public static partial int CloseCache(nint context, nint cache);

    [LibraryImport(Library, EntryPoint = "krb5_parse_name", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ParseName(nint context, string name, out nint principal);

    [LibraryImport(Library, EntryPoint = "krb5_free_principal")]
    public static partial void FreePrincipal(nint context, nint principal);

    [LibraryImport(Library, EntryPoint = "krb5_kt_resolve", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ResolveKeytab(nint context, string name, out nint keytab);

    [LibraryImport(Library, EntryPoint = "krb5_kt_close")]
    public static partial int CloseKeytab(nint context, nint keytab);

    [LibraryImport(Library, EntryPoint = "krb5_get_init_creds_keytab")]
    public static partial int LogOn(nint context, Credentials* credentials, nint client, nint keytab, int start, nint service,
        nint options);

    [LibraryImport(Library, EntryPoint = "krb5_get_credentials_for_user")]
    public static partial int GetCredentialsForUser(nint context, uint options, nint cache, Credentials* request, nint certificate,
        Credentials** credentials);

    [LibraryImport(Library, EntryPoint = "krb5_get_credentials")]
    public static partial int GetCredentials(nint context, uint options, nint cache, Credentials* request, Credentials** credentials);

    [LibraryImport(Library, EntryPoint = "krb5_free_creds")]
    public static partial void FreeCredentials(nint context, Credentials* credentials);


    [LibraryImport(Library, EntryPoint = "krb5_get_error_message")]
    private static partial nint GetErrorMessage(nint context, int code);

    [LibraryImport(Library, EntryPoint = "krb5_free_error_message")]
    private static partial void FreeErrorMessage(nint context, nint message);
}
